import { generateKeyPairSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { buildEnclave, Enclave, parseImage, signImage } from '@casemate/enclave'
const entry = fileURLToPath(new URL('assembly/hash.ts', import.meta.url))
const image = await buildEnclave({ entry })
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })
const enclave = await Enclave.create(signImage(image, { date: '20260101', privateKey }), {
  platform: { sealing: null, secrets: new Map(), log: () => undefined, report: console.error }, debug: false, signers: 'any', measurement: 'any' })
const ex: any = new WebAssembly.Instance(await WebAssembly.compile(parseImage(image).code), {}).exports
ex._initialize()
const plain = (name: string, input: Uint8Array) => {
    const pointer = ex.casemate_alloc(input.length) >>> 0
    new Uint8Array(ex.memory.buffer, pointer, input.length).set(input)
    const result = BigInt.asUintN(64, ex[name](pointer, input.length))
    const at = Number(result >> 32n)
    const output = new Uint8Array(ex.memory.buffer, at, Number(result & 0xffff_ffffn)).slice()
    ex.casemate_free(pointer, input.length)
    return output
}
const MS = Number(process.env['MS'] ?? 80), ROUNDS = Number(process.env['ROUNDS'] ?? 9)
async function rate(run: () => unknown, ms: number) { const t0 = performance.now(); let n = 0, e = 0; do { const p = run(); if (p instanceof Promise) await p; n++; e = performance.now() - t0 } while (e < ms); return n / e }
const name = process.argv[3] ?? 'hash'
for (const size of (process.argv[2] ?? '1024,16384,153600,442368').split(',').map(Number)) {
  const input = new Uint8Array(size).fill(7)
  const count = Math.max(4, Math.min(256, Math.floor(3e6 / size)))
  const inputs = Array.from({ length: count }, () => input), half = inputs.slice(count >> 1)
  const cases: [string, number, () => unknown][] = [
    ['direct', 1, () => plain(name, input)], ['single', 1, () => enclave.call(name, input)],
    ['flight', count, () => Promise.all(inputs.map(i => enclave.call(name, i)))],
    ['batch', 2 * half.length, () => Promise.all([enclave.callBatch(name, half), enclave.callBatch(name, half)])],
    ['1batch', half.length, () => enclave.callBatch(name, half)]]
  for (const c of cases) await rate(c[2], 150)
  const us: number[][] = cases.map(() => [])
  for (let r = 0; r < ROUNDS; r++) for (const [i, c] of cases.entries()) us[i]!.push(1000 / (await rate(c[2], MS) * c[1]))
  const med = (l: number[]) => l.toSorted((a, b) => a - b)[l.length >> 1]!
  console.log(String(size).padStart(7), cases.map((c, i) => i === 0 ? `direct ${med(us[0]!).toFixed(2)}us` : `${c[0]} x${med(us[i]!.map((v, r) => v / us[0]![r]!)).toFixed(3)} [${Math.min(...us[i]!.map((v, r) => v / us[0]![r]!)).toFixed(2)}..${Math.max(...us[i]!.map((v, r) => v / us[0]![r]!)).toFixed(2)}]`).join('  '))
}
await enclave.close()
