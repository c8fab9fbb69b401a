// Sealed streams and files against bare AES-256-GCM of the same bytes in the same round, and small blobs, where the key
// derivation is what costs.
import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  openBrokerRoot,
  type SealOptions,
  SealStream,
  seal,
  sealToFile,
  UnsealStream,
  unseal,
  unsealFile,
} from '@casemate/enclave'
import { measure, scaled } from './measure.ts'
import { printRates, printRatio } from './report.ts'

const MEGABYTES = 32
const PIECE = randomBytes(1_000_000)
const PIECES: readonly Uint8Array[] = Array.from({ length: MEGABYTES }, () => PIECE)
const KEY = randomBytes(32)

const OPTIONS: SealOptions = {
  root: openBrokerRoot({ path: 'bench', key: KEY }),
  identity: {
    mrEnclave: randomBytes(32),
    mrSigner: randomBytes(32),
    isvProdId: 1,
    isvSvn: 1,
    debug: false,
  },
  policy: 'mrEnclave',
  additionalData: new Uint8Array(),
}

/** Nothing but the cipher, and one key for all. */
function bare(): void {
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(KEY), randomBytes(12))
  for (const piece of PIECES) cipher.update(piece)
  cipher.final()
  cipher.getAuthTag()
}

async function through(pieces: readonly Uint8Array[], stream: Transform): Promise<Uint8Array[]> {
  const out: Uint8Array[] = []
  await pipeline(Readable.from(pieces, { objectMode: false }), stream, async source => {
    for await (const piece of source) out.push(piece as Uint8Array)
  })
  return out
}

/** As a file is read. */
function inPieces(bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / PIECE.length)
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * PIECE.length, (index + 1) * PIECE.length),
  )
}

/** Prints the tables of this topic. */
export async function benchSealing(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  try {
    const sealed = inPieces(Buffer.concat(await through(PIECES, new SealStream(OPTIONS))))
    let files = 0
    const work = { signal: null, progress: () => undefined }
    const sealFile = async (path: string) =>
      sealToFile(Readable.from(PIECES, { objectMode: false }), path, { ...OPTIONS, ...work })
    await sealFile(join(directory, 'sealed'))
    const measured = await measure([
      { name: 'bare AES-256-GCM', run: bare },
      { name: 'seal a stream, in memory', run: () => through(PIECES, new SealStream(OPTIONS)) },
      { name: 'open a stream, in memory', run: () => through(sealed, new UnsealStream(OPTIONS)) },
      {
        name: 'seal into a file, synced',
        run: async () => {
          const path = join(directory, String(files++))
          await sealFile(path)
          rmSync(path)
        },
      },
      {
        name: 'verify a file, then open it into another, synced',
        run: async () => {
          const path = join(directory, String(files++))
          await unsealFile(join(directory, 'sealed'), path, { opener: () => OPTIONS, ...work })
          rmSync(path)
        },
      },
    ])
    const rates = measured.map(one => scaled(one, MEGABYTES))
    printRates('Sealing, MB', rates)
    for (const one of rates.slice(1)) printRatio(`${one.name}, against bare`, one, rates[0]!, 'none')
    await benchBlobs()
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function benchBlobs(): Promise<void> {
  const plaintext = randomBytes(1024)
  const blob = seal(plaintext, OPTIONS)
  printRates(
    'Sealing, blobs of 1 KiB',
    await measure([
      { name: 'seal', run: () => seal(plaintext, OPTIONS) },
      { name: 'unseal', run: () => unseal(blob, OPTIONS) },
    ]),
  )
}
