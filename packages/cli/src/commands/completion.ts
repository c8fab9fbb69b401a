// casemate completion: what makes a shell complete commands, flags, their values, and names that the broker knows.

import type { Command } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { SHELLS, scriptFor } from '../shells/scripts.ts'
import { wordsHint } from '../typed/flag-values.ts'

export const COMPLETION_COMMAND: Command = {
  words: ['completion'],
  summary: 'print what makes a shell complete commands, flags and names',
  usage: SHELLS.join('|'),
  minimum: 1,
  maximum: 1,
  flags: {},
  notes: [
    'In ~/.bashrc: source <(casemate completion bash). In ~/.zshrc, after compinit: source <(casemate completion zsh).',
    'In fish: casemate completion fish > ~/.config/fish/completions/casemate.fish.',
    'Names of secrets, policies, rules and others come from the broker that a command at the same place would speak to, within a',
    'second, or not at all.',
  ],
  examples: ['casemate completion bash > casemate.bash'],
  run: async ({ positionals: [typed = ''] }) => {
    const shell = SHELLS.find(one => one === typed)
    if (shell === undefined) {
      throw new CliError('argument-unexpected', `there is no completion for ${typed}`, {
        hint: wordsHint(typed, SHELLS),
      })
    }
    const script = scriptFor(shell)
    return { exitCode: 0, json: { shell, script }, lines: [], bytes: new TextEncoder().encode(script) }
  },
}
