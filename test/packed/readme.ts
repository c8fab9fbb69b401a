// The lines that a package's README shows, taken from the README that was installed.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sharedProject } from './project.ts'

/** What a README shows is a module of functions. */
export type Shown = Readonly<Record<string, (...args: unknown[]) => unknown>>

export async function readmeOf(name: string): Promise<string> {
  const { directory } = await sharedProject()
  return readFileSync(join(directory, 'node_modules', name, 'README.md'), 'utf8')
}

/** Writes the module beside those who import it, and gives its path. */
export async function fileShownBy(name: string): Promise<string> {
  const { directory } = await sharedProject()
  const [, code] = /^```js\n(.*?)^```$/ms.exec(await readmeOf(name)) ?? []
  if (code === undefined) throw new TypeError(`the README of ${name} shows no JavaScript`)
  const file = join(directory, `readme-${name.replace('@casemate/', '')}.mjs`)
  writeFileSync(file, code)
  return file
}

export async function shownBy(name: string): Promise<Shown> {
  return import(pathToFileURL(await fileShownBy(name)).href)
}
