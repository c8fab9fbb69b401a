// Hints for those who write AssemblyScript as if it were TypeScript: the compiler says what it does not
// know, not what there is.

const HINTS: readonly (readonly [message: RegExp, hint: string])[] = [
  [/^Type expected\.$/, 'parameters and results need their types: (input: Uint8Array): Uint8Array'],
  [/Closures$/, 'a function within a function cannot use its variables: a loop can, and so can methods'],
  [/Exceptions$/, 'there is no try: check beforehand, and answer with fail(status)'],
  [/union types$/, 'a value has one type; one of a class may also be null'],
  [/Const assertion$/, 'leave "as const" out: constants are'],
  [/^Cannot find name 'JSON'/, 'JSON is a library here: npm install assemblyscript-json, then import it'],
  [
    /^Cannot find name '(?:fetch|process|require|Buffer|set\w+|Promise|crypto|TextEncoder|TextDecoder|window|globalThis)'/,
    'there is nothing of Node or of a browser in an enclave: ABI.md says what there is',
  ],
  [/^Cannot find name '(?:any|unknown|undefined|never|object)'/, 'every value has a type of its own'],
  [
    /^File '~lib\/(?:node:|fs|path|crypto|os|http|net)[^']*' not found/,
    'there is nothing of Node in an enclave: ABI.md says what there is',
  ],
  [
    /^File '~lib\//,
    'packages of npm can be imported if they are AssemblyScript and installed near the source',
  ],
  [/^'\{' expected\.$/, 'there is nothing to wait for in an enclave: no async functions'],
]

/** For the first message that is known. */
export function hintFor(messages: readonly string[]): string | undefined {
  for (const message of messages) {
    const found = HINTS.find(([pattern]) => pattern.test(message))
    if (found !== undefined) return found[1]
  }
  return undefined
}
