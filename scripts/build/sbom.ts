// What each package is made of, in CycloneDX 1.6 (ECMA-424): itself and everything that its manifest brings, with the hashes
// that the lock file pins. No time and no random number is in it, so that the same build gives the same bytes.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { tarballOf } from './pack.ts'
import type { Room } from './rooms.ts'

/** A package in package-lock.json, by where it is installed. */
interface Locked {
  readonly name?: string
  readonly version?: string
  readonly license?: string
  /** `sha512-…`; of other packages than ours. */
  readonly integrity?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  /** Where the package itself stands. */
  readonly link?: boolean
  readonly resolved?: string
}

type Lock = Readonly<Record<string, Locked>>

export interface SbomInput {
  readonly room: Room
  readonly lock: Lock
  /** SHA-512 of our tarballs, in hex, by package. */
  readonly tarballs: ReadonlyMap<string, string>
}

/** `tarballs/casemate-evidence-0.1.0.tgz` → `sboms/casemate-evidence-0.1.0.cdx.json` */
export function sbomFileOf(room: Room, out: string): string {
  return join(out, 'sboms', basename(tarballOf(room, out)).replace(/\.tgz$/, '.cdx.json'))
}

export function writeSboms(rooms: readonly Room[], root: string, out: string): void {
  const { packages: lock } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Lock
  }
  const hash = (room: Room): string =>
    createHash('sha512')
      .update(readFileSync(tarballOf(room, out)))
      .digest('hex')
  const tarballs = new Map(rooms.map(room => [room.manifest.name, hash(room)]))
  rmSync(join(out, 'sboms'), { recursive: true, force: true })
  mkdirSync(join(out, 'sboms'), { recursive: true })
  for (const room of rooms) {
    writeFileSync(sbomFileOf(room, out), `${JSON.stringify(sbomOf({ room, lock, tarballs }), null, 2)}\n`)
  }
}

export function sbomOf({ room, lock, tarballs }: SbomInput): Readonly<Record<string, unknown>> {
  const own = `packages/${room.name}`
  const found = closureOf(own, lock)
  const describe = (path: string) => componentOf(path, lock, { tarballs, required: found.get(path) ?? true })
  const body = {
    version: 1,
    metadata: {
      component: { ...describe(own), type: room.manifest.bin === undefined ? 'library' : 'application' },
    },
    components: onceEach(found, lock)
      .filter(path => path !== own)
      .map(describe),
    dependencies: onceEach(found, lock).map(path => ({
      ref: purlOf(path, lock),
      dependsOn: [...new Set(neededBy(path, lock).map(({ at }) => purlOf(at, lock)))].toSorted(),
    })),
  }
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`,
    ...body,
  }
}

/** Where all that a package brings is installed, and whether it is required; the package itself is first. */
function closureOf(own: string, lock: Lock): ReadonlyMap<string, boolean> {
  const found = new Map([[own, true]])
  // What turns out to be required is looked at again.
  const waiting = [own]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const { at, optional } of neededBy(path, lock)) {
      const required = found.get(path) === true && !optional
      if (found.has(at) && (found.get(at) || !required)) continue
      found.set(at, required)
      waiting.push(at)
    }
  }
  return found
}

/** In order; a version that is installed in two places is one, required where one of them is. */
function onceEach(found: ReadonlyMap<string, boolean>, lock: Lock): readonly string[] {
  const paths = [...found.keys()].toSorted((one, other) => Number(found.get(one)) - Number(found.get(other)))
  const byPurl = new Map(paths.map(path => [purlOf(path, lock), path]))
  return [...byPurl.keys()].toSorted().map(purl => byPurl.get(purl) ?? '')
}

function neededBy(path: string, lock: Lock): readonly { readonly at: string; readonly optional: boolean }[] {
  const { dependencies, optionalDependencies, peerDependencies } = lock[path] ?? {}
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
  return names.flatMap(name => {
    const at = installedAt(name, path, lock)
    // A peer that is optional is not installed.
    return at === null ? [] : [{ at, optional: name in (optionalDependencies ?? {}) }]
  })
}

/** As Node looks for it: below the package, then beside it, then further up. */
function installedAt(name: string, from: string, lock: Lock): string | null {
  const places = [from]
  for (let place = from; place.includes('node_modules/'); places.push(place)) {
    place = place.slice(0, place.lastIndexOf('node_modules/')).replace(/\/$/, '')
  }
  for (const place of [...places, '']) {
    const path = place === '' ? `node_modules/${name}` : `${place}/node_modules/${name}`
    const locked = lock[path]
    if (locked !== undefined) return locked.link === true ? (locked.resolved ?? null) : path
  }
  return null
}

function componentOf(
  path: string,
  lock: Lock,
  { tarballs, required }: { tarballs: SbomInput['tarballs']; required: boolean },
) {
  const { version = '', license, integrity } = lock[path] ?? {}
  const full = nameOf(path, lock)
  const [group, name = full] = full.startsWith('@') ? full.split('/') : [undefined, full]
  const hash = tarballs.get(full) ?? hexOf(integrity)
  const purl = purlOf(path, lock)
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name,
    version,
    scope: required ? 'required' : 'optional',
    ...(hash === null ? {} : { hashes: [{ alg: 'SHA-512', content: hash }] }),
    // An SPDX expression; a single identifier is one as well.
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    purl,
  }
}

function nameOf(path: string, lock: Lock): string {
  return lock[path]?.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** `pkg:npm/%40casemate/evidence@0.1.0` */
function purlOf(path: string, lock: Lock): string {
  return `pkg:npm/${nameOf(path, lock).replace('@', '%40')}@${lock[path]?.version ?? ''}`
}

function hexOf(integrity: string | undefined): string | null {
  const base64 = /^sha512-(\S+)$/.exec(integrity ?? '')?.[1]
  return base64 === undefined ? null : Buffer.from(base64, 'base64').toString('hex')
}

/** RFC 9562, version 8: of what is described, so that the same content has the same number. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
