// `--secret repository/type/tag=NAME` and `--secret-file repository/type/tag=NAME`: which secret the workload finds
// under which name of its environment. Mistakes are found before anything is asked for.

import { isSecretPath, type WantedSecret } from '@casemate/agent'
import { CliError } from '../failure/cli-error.ts'

/** What is repeated on the command line. */
interface Typed {
  readonly secrets: readonly string[]
  readonly files: readonly string[]
}

/** @throws {CliError} flag-value-invalid, flag-repeated */
export function readWanted({ secrets, files }: Typed): readonly WantedSecret[] {
  const wanted = [
    ...secrets.map(typed => readOne(typed, 'secret', 'variable')),
    ...files.map(typed => readOne(typed, 'secret-file', 'file')),
  ]
  const names = new Set<string>()
  for (const { name } of wanted) {
    if (names.has(name)) throw new CliError('flag-repeated', `two secrets are to be ${name}`)
    names.add(name)
  }
  return wanted
}

function readOne(typed: string, flag: string, as: WantedSecret['as']): WantedSecret {
  const cut = typed.indexOf('=')
  const [path, name] = cut === -1 ? [typed, ''] : [typed.slice(0, cut), typed.slice(cut + 1)]
  const bare = path.replace(/^kbs:\/\/\//, '')
  if (!isSecretPath(bare)) throw invalid(flag, `${path} is no secret’s path`, pathHint(path, name))
  if (cut === -1 || name === '') throw invalid(flag, `${typed} names no variable`, `--${flag} ${bare}=NAME`)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw invalid(flag, `${name} is no name of a variable`, 'letters, digits and _, not a digit first')
  }
  if (name.startsWith('CASEMATE_')) {
    throw invalid(flag, `${name} is of this command’s own variables`, 'a name without CASEMATE_')
  }
  return { path: bare, name, as }
}

function invalid(flag: string, problem: string, hint: string): CliError {
  return new CliError('flag-value-invalid', `--${flag}: ${problem}`, { hint })
}

/** The two halves are often swapped. */
function pathHint(path: string, name: string): string {
  if (isSecretPath(name)) return `the path comes first: ${name}=${path}`
  return 'repository/type/tag=NAME, e.g. default/db/password=DB_PASSWORD'
}
