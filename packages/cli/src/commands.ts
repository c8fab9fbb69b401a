// The table of commands: parsing, help, suggestions, completion and the manual are made from it. A group is loaded when it
// is asked for, so that a command does not wait for what the others need.

import type { Command } from './command.ts'

/** The commands that begin with one word. */
export interface Group {
  /** What they are for, as the overview says it. */
  readonly summary: string
  /** The second words; none where the first is a command by itself. */
  readonly verbs: readonly string[]
  readonly load: () => Promise<readonly Command[]>
}

/** Groups by their word, under what they are about. */
export interface Chapter {
  readonly title: string
  readonly groups: Readonly<Record<string, Group>>
}

/** All there is, in the order in which one needs it. */
export const CHAPTERS: readonly Chapter[] = [
  {
    title: 'Start here',
    groups: {
      demo: {
        summary: 'the main job in half a minute, leaving nothing behind',
        verbs: [],
        load: async () => [(await import('./commands/demo.ts')).DEMO_COMMAND],
      },
      up: {
        summary: 'start the broker; with --tour it shows the main job first',
        verbs: [],
        load: async () => [(await import('./commands/up.ts')).UP_COMMAND],
      },
    },
  },
  {
    title: 'Evidence',
    groups: {
      verify: {
        summary: 'say what a quote or report is, and why it is or is not to be trusted',
        verbs: [],
        load: async () => [(await import('./commands/verify.ts')).VERIFY_COMMAND],
      },
      platform: {
        summary: 'which hardware gives evidence here, and what is missing',
        verbs: [],
        load: async () => [(await import('./commands/platform.ts')).PLATFORM_COMMAND],
      },
      attest: {
        summary: 'attest to a broker, simulated where there is no hardware',
        verbs: [],
        load: async () => [(await import('./commands/attest.ts')).ATTEST_COMMAND],
      },
      attestation: {
        summary: 'past attestations, accepted and refused, each with its reasons',
        verbs: ['list', 'show'],
        load: async () => (await import('./commands/attestation.ts')).ATTESTATION_COMMANDS,
      },
    },
  },
  {
    title: 'What is released, and to whom',
    groups: {
      secret: {
        summary: 'what workloads need, such as keys and passwords',
        verbs: ['put', 'get', 'list', 'delete'],
        load: async () => (await import('./commands/secret.ts')).SECRET_COMMANDS,
      },
      policy: {
        summary: 'which evidence is accepted',
        verbs: ['get', 'set', 'list', 'delete', 'test'],
        load: async () => (await import('./commands/policy.ts')).POLICY_COMMANDS,
      },
      reference: {
        summary: 'which code is known',
        verbs: ['get', 'set', 'list', 'delete'],
        load: async () => (await import('./commands/reference.ts')).REFERENCE_COMMANDS,
      },
      rule: {
        summary: 'who gets which secret',
        verbs: ['get', 'set', 'list', 'delete', 'dry-run'],
        load: async () => (await import('./commands/rule.ts')).RULE_COMMANDS,
      },
    },
  },
  {
    title: 'Enclaves',
    groups: {
      enclave: {
        summary: 'measured code: built, signed, inspected, run',
        verbs: ['new', 'build', 'key', 'sign', 'digest', 'attach', 'inspect', 'run', 'call'],
        load: async () => (await import('./commands/enclave.ts')).ENCLAVE_COMMANDS,
      },
      seal: {
        summary: 'encrypt a file so that one enclave alone opens it',
        verbs: [],
        load: async () => [(await import('./commands/seal.ts')).SEAL_COMMAND],
      },
      unseal: {
        summary: 'open a sealed file',
        verbs: [],
        load: async () => [(await import('./commands/unseal.ts')).UNSEAL_COMMAND],
      },
      reseal: {
        summary: 'move sealed files to another root, version or policy',
        verbs: [],
        load: async () => [(await import('./commands/reseal.ts')).RESEAL_COMMAND],
      },
      bench: {
        summary: 'what each layer of protection costs on this machine',
        verbs: ['layers'],
        load: async () => [(await import('./commands/bench.ts')).BENCH_LAYERS_COMMAND],
      },
    },
  },
  {
    title: 'Workloads',
    groups: {
      run: {
        summary: 'a command with secrets in its environment, for as long as the broker allows it',
        verbs: [],
        load: async () => [(await import('./commands/run.ts')).RUN_COMMAND],
      },
      agent: {
        summary: 'secrets, tokens and evidence for the software of a guest, at 127.0.0.1:8006',
        verbs: [],
        load: async () => [(await import('./commands/agent.ts')).AGENT_COMMAND],
      },
    },
  },
  {
    title: 'The record',
    groups: {
      log: {
        summary: 'every decision, provable to anyone',
        verbs: ['show', 'receipt', 'verify', 'check', 'checkpoint', 'key'],
        load: async () => (await import('./commands/log.ts')).LOG_COMMANDS,
      },
    },
  },
  {
    title: 'Running it',
    groups: {
      token: {
        summary: 'administrators’ access',
        verbs: ['create', 'list', 'revoke'],
        load: async () => (await import('./commands/token.ts')).TOKEN_COMMANDS,
      },
      key: {
        summary: 'the broker’s own keys, and their rotation',
        verbs: ['list', 'rotate', 'retire', 'protect'],
        load: async () => (await import('./commands/key.ts')).KEY_COMMANDS,
      },
      config: {
        summary: 'effective settings, and where each comes from',
        verbs: ['show'],
        load: async () => [(await import('./commands/config.ts')).CONFIG_COMMAND],
      },
      completion: {
        summary: 'what makes bash, zsh and fish complete commands and names',
        verbs: [],
        load: async () => [(await import('./commands/completion.ts')).COMPLETION_COMMAND],
      },
    },
  },
]

const GROUPS: ReadonlyMap<string, Group> = new Map(CHAPTERS.flatMap(({ groups }) => Object.entries(groups)))

/** The words that a command line can begin with. */
export const FIRST_WORDS: readonly string[] = [...GROUPS.keys()]

/** The commands that begin with a word; none if no command does. */
export async function commandsOf(first: string): Promise<readonly Command[]> {
  return (await GROUPS.get(first)?.load()) ?? []
}

/** All names of commands, as they are typed; nothing is loaded for them. */
export function commandNames(): readonly string[] {
  return [...GROUPS].flatMap(([first, { verbs }]) =>
    verbs.length === 0 ? [first] : verbs.map(verb => `${first} ${verb}`),
  )
}

/** All commands, in the order of the help. */
export async function allCommands(): Promise<readonly Command[]> {
  return (await Promise.all(FIRST_WORDS.map(commandsOf))).flat()
}
