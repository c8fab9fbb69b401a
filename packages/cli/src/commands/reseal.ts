// casemate reseal: moves sealed files to another root, version or policy, in the memory of the enclave alone.

import {
  findSealed,
  type ResealOptions,
  type ResealSummary,
  resealAll,
  type UnsealOptions,
} from '@casemate/enclave'
import type { Answer, Call, Command } from '../command.ts'
import { readImage } from '../sealing/images.ts'
import { startMeter } from '../sealing/meter.ts'
import { keyPathOf, needed, POLICIES, rootOf } from '../sealing/parties.ts'
import { BROKER_FLAGS, openRoot, ROOTS } from '../sealing/roots.ts'
import { listenForStopOrHangUp } from '../terminal/stop-signal.ts'
import { readWord } from '../typed/flag-values.ts'

export const RESEAL_COMMAND: Command = {
  words: ['reseal'],
  summary: 'move sealed files to another root, version or policy',
  usage: 'FILE...',
  minimum: 1,
  maximum: Infinity,
  flags: {
    image: { value: 'IMAGE', summary: 'the enclave that the files are for; its signature is checked' },
    'to-image': { value: 'IMAGE', summary: 'the enclave that they are to be for (default: the same)' },
    from: { value: 'ROOT', takes: ROOTS, summary: `the root that they are under: ${ROOTS.join(', ')}` },
    to: { value: 'ROOT', takes: ROOTS, summary: `the root that they are to be under: ${ROOTS.join(', ')}` },
    'key-path': { value: 'PATH', summary: 'root broker: the data key there, REPOSITORY/TYPE/TAG' },
    'to-key-path': { value: 'PATH', summary: 'of --to broker, where it is another key' },
    policy: {
      value: 'POLICY',
      takes: ['keep', ...POLICIES],
      summary: 'keep (default), mrEnclave (exactly this code), mrSigner (newer too)',
    },
    debug: { summary: 'the images are debug ones, whose host can read everything' },
    ...BROKER_FLAGS,
  },
  notes: [
    'FILE may be a directory, which is gone through with all below it. Each new file is written beside the',
    'old one, synced, read back and opened, and only then takes its place: a run that is stopped or killed',
    'loses nothing, and the same command again does the rest. Nothing else may write to the files meanwhile.',
    'Files move only to the same product of the same signer, and never to an older security version.',
  ],
  examples: [
    'casemate reseal data/ --image old.enclave --to-image new.enclave \\\n    --from simulated --to simulated',
    'casemate reseal data/ --image score.enclave --from gramine --to broker \\\n    --key-path default/key/data',
  ],
  run: reseal,
}

async function reseal(call: Call): Promise<Answer> {
  const policy = readWord('policy', call.option('policy'), ['keep', ...POLICIES])
  const { from, to } = await partiesOf(call)
  const stop = listenForStopOrHangUp()
  try {
    const tree = await call.terminal.progress('looking', findSealed(call.positionals))
    const total = tree.files.reduce((sum, { size }) => sum + size, 0)
    const meter = startMeter(call.terminal, { verb: 'moved', total })
    const report: ResealOptions['report'] = event => {
      if (event.step === 'progress') meter.add(event.bytes)
      else meter.name(event.path)
    }
    const summary = await resealAll(tree, { from, to, policy, signal: stop.signal, report })
    meter.end()
    return answer(summary)
  } finally {
    stop.release()
  }
}

/** Both ends; one root is opened once, and by the enclave that needs it. */
async function partiesOf(call: Call): Promise<{ readonly from: UnsealOptions; readonly to: UnsealOptions }> {
  const [fromName, toName] = [rootOf(call, 'from'), rootOf(call, 'to')]
  const keyPath = keyPathOf(call, { flag: 'key-path', names: [fromName, toName] })
  const toKeyPath = call.given('to-key-path')
    ? keyPathOf(call, { flag: 'to-key-path', names: [toName] })
    : keyPath
  const image = readImage(needed(call, 'image', 'the enclave that the files are for'), call)
  const toPath = call.option('to-image')
  const next = toPath === null ? image : readImage(toPath, call)
  const root = await openRoot(call, { name: fromName, keyPath, mayCreate: false }, image.statement)
  const from = { root, identity: image.identity }
  if (fromName === toName && keyPath === toKeyPath && next === image) return { from, to: from }
  const wanted = { name: toName, keyPath: toKeyPath, mayCreate: true }
  return { from, to: { root: await openRoot(call, wanted, next.statement), identity: next.identity } }
}

function answer({ moved, already, left, failures, interrupted }: ResealSummary): Answer {
  const failed = failures.map(({ path, error: { code, message, hint } }) => ({
    path,
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
  }))
  const isNothing = !interrupted && moved + already + failures.length === 0
  const lines = [
    `${moved} moved, ${already} there already${left === 0 ? '' : `, ${left} left alone that are not sealed`}`,
    ...(isNothing ? ['There is nothing sealed there.'] : []),
    ...failed.flatMap(({ path, code, message, hint }) => [
      `${code}: ${message.startsWith(path) ? message : `${path}: ${message}`}`,
      ...(hint === undefined ? [] : [`  hint: ${hint}`]),
    ]),
    ...(interrupted ? ['Stopped before the end; the same command does the rest.'] : []),
  ]
  return {
    exitCode: failures.length > 0 || interrupted ? 1 : 0,
    json: { moved, already, left, interrupted, failures: failed },
    lines,
  }
}
