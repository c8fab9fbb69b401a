#!/usr/bin/env node
// The entry of the command. Plain JavaScript, so that an old Node gets one clear line and not a stack trace.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(`casemate: node-too-old: Node 24 or newer is needed, this is ${process.versions.node}`)
  console.error('hint: inside the repository, npm start and npx --no casemate bring their own Node')
  process.exit(2)
}
const { becomeServer } = await import('./as-server.js')
await becomeServer()
const { keepCompiledCode } = await import('./code-cache.js')
keepCompiledCode()
const { main } = await import('../src/main.ts')
process.exitCode = await main(process.argv.slice(2))
