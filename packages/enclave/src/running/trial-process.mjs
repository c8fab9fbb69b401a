// The process that compiles a module first, all of its functions at once, where the platform's process compiles each when
// it is called. It is started with limits, knows no secret, runs none of the code, and says how it went by a word as well as by
// its exit code: Node tells 0 also of a process that a signal without a name has ended, and ends with 1 where it cannot load
// this. That it does not come to an end is an answer as well. In JavaScript, as Node.js would compile its reader of TypeScript
// with the same flags, which takes seconds.
/** @type {Buffer[]} */
const parts = []
for await (const part of process.stdin) parts.push(part)
try {
  Reflect.construct(WebAssembly.Module, [new Uint8Array(Buffer.concat(parts))])
  process.stdout.write('compiled')
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message.slice(0, 500) : 'no module')
  process.stdout.write('refused')
  process.exitCode = 1
}
