// Signing apart: the key never leaves the openssl command, and the result is what signing here would give.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseImage } from '../../src/image/image.ts'
import { attachImageSignature, signedBytesOfImage, signImage, verifyImage } from '../../src/image/sign.ts'
import { DATE } from './keys.ts'
import { IMAGE } from './samples.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

test('an image is signed by openssl and verified by openssl', { skip: !hasOpenssl && 'needs openssl' }, t => {
  const folder = mkdtempSync(join(tmpdir(), 'enclave-sign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: 'pipe' })

  openssl('genrsa', '-3', '-out', at('key.pem'), '3072')
  openssl('rsa', '-in', at('key.pem'), '-pubout', '-out', at('public.pem'))
  writeFileSync(at('digest.bin'), signedBytesOfImage(IMAGE, DATE))
  openssl('dgst', '-sha256', '-sign', at('key.pem'), '-out', at('signature.bin'), at('digest.bin'))

  const publicKey = createPublicKey(readFileSync(at('public.pem')))
  const signature = new Uint8Array(readFileSync(at('signature.bin')))
  const signed = attachImageSignature(IMAGE, { ...DATE, publicKey, signature })
  const { sigstruct } = parseImage(signed)
  verifyImage(parseImage(signed))
  assert.deepEqual(
    signed,
    signImage(IMAGE, { ...DATE, privateKey: createPrivateKey(readFileSync(at('key.pem'))) }),
  )

  writeFileSync(at('theirs.bin'), sigstruct!.signature.toReversed())
  writeFileSync(at('bytes.bin'), sigstruct!.signedBytes)
  const said = openssl(
    'dgst',
    '-sha256',
    '-verify',
    at('public.pem'),
    '-signature',
    at('theirs.bin'),
    at('bytes.bin'),
  )
  assert.match(said.toString(), /Verified OK/)
  const modulus = openssl('rsa', '-pubin', '-in', at('public.pem'), '-modulus', '-noout').toString()
  const wanted = modulus.trim().replace('Modulus=', '').toLowerCase()
  assert.equal(Buffer.from(sigstruct!.modulus.toReversed()).toString('hex'), wanted)
})
