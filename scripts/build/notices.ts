// The licences of what is inside a bundle, as their authors want them kept: each text once, with the packages it is for.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @throws {Error} where a package has no licence that could be kept */
export function noticesOf(folders: readonly string[], root: string): string {
  const byText = new Map<string, string[]>()
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const text = licenceIn(join(root, folder)) ?? withoutText(name, license)
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`])
  }
  const parts = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text.trim()}\n`)
  return `This program contains the packages that are named here, each under its licence.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

function licenceIn(folder: string): string | null {
  const [file] = globSync('{LICENSE,LICENCE,license,licence,License,COPYING}*', { cwd: folder }).toSorted()
  return file === undefined ? null : readFileSync(join(folder, file), 'utf8')
}

function withoutText(name: string, license: unknown): string {
  if (typeof license === 'string' && license !== '') return `(its package has no text of the licence)`
  throw new Error(`${name} says no licence`)
}
