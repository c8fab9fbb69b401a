// The manifest of a package as it is published, made from the one of its source: `src/*.ts` becomes `lib/*.js` with its
// types beside it. The source's manifest is the one truth; a field that has no rule here is an error, not a guess.

/** Export or import conditions, or the file. */
export type Target = string | { readonly [condition: string]: Target }

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly files?: readonly string[]
  readonly exports?: Readonly<Record<string, string>>
  readonly imports?: Readonly<Record<string, Target>>
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** As they are in the source. */
const KEPT = [
  'name',
  'version',
  'description',
  'license',
  'type',
  'engines',
  'sideEffects',
  'bin',
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
]
const REWRITTEN = ['exports', 'imports', 'files']
/** Only in the source: what is built is meant to be published. */
const DROPPED = ['private']

/** `./src/index.ts` → `./lib/index.js` */
function builtPath(source: string): string {
  return source.replace(/^\.\/src\//, './lib/').replace(/\.ts$/, '.js')
}

/** @throws {TypeError} where the source's manifest has a field that nobody decided about */
export function builtManifest(source: Manifest): Readonly<Record<string, unknown>> {
  const unknown = Object.keys(source).filter(field => ![...KEPT, ...REWRITTEN, ...DROPPED].includes(field))
  if (unknown.length > 0) {
    throw new TypeError(`${source.name}: scripts/build/manifest.ts has no rule for ${unknown.join(', ')}`)
  }
  const kept = Object.fromEntries(KEPT.filter(field => field in source).map(field => [field, source[field]]))
  return {
    ...kept,
    ...(source.exports === undefined ? {} : { exports: exportsOf(source.exports) }),
    ...(source.imports === undefined ? {} : { imports: mapTargets(source.imports) }),
    files: ['lib', 'src', ...(source.files ?? [])],
  }
}

function exportsOf(exports: Readonly<Record<string, string>>): Record<string, Target> {
  const built = Object.entries(exports).map(([name, source]): [string, Target] => {
    const file = builtPath(source)
    return [name, { types: file.replace(/\.js$/, '.d.ts'), default: file }]
  })
  return { ...Object.fromEntries(built), './package.json': './package.json' }
}

function mapTargets(targets: Readonly<Record<string, Target>>): Record<string, Target> {
  return Object.fromEntries(
    Object.entries(targets).map(([condition, target]) => [
      condition,
      typeof target === 'string' ? builtPath(target) : mapTargets(target),
    ]),
  )
}
