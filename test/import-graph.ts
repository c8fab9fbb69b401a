// The imports within a package as a graph, of files or of folders, and the circles in it.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** What each node imports of the others. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>

const IMPORT = /(?<![.'\w])(?:from|import)\s*\(?\s*'([^'\n]+)'/g

/** Every specifier that a file imports, of types and of values, at its start or later. */
export function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(match => match[1]!)
}

/** The files below a directory with what each imports of them. AssemblyScript, which has a compiler of its own, is left out. */
export function filesOf(root: string): Graph {
  const files = globSync('**/*.ts', { cwd: root, exclude: ['**/assembly/**', '**/node_modules/**'] })
  return new Map(
    files.map(file => {
      const relatives = importsOf(join(root, file)).filter(specifier => specifier.startsWith('.'))
      return [file, new Set(relatives.map(specifier => join(dirname(file), specifier)))]
    }),
  )
}

/** The same by the folders directly below the root; a file that lies there itself is a node of its own. */
export function foldersOf(files: Graph): Graph {
  const folders = new Map<string, Set<string>>()
  for (const [file, imported] of files) {
    const folder = firstOf(file)
    const reached = folders.get(folder) ?? new Set()
    folders.set(folder, reached)
    for (const other of imported) {
      if (firstOf(other) !== folder) reached.add(firstOf(other))
    }
  }
  return folders
}

function firstOf(path: string): string {
  return relative('', path).split(/[\\/]/)[0]!
}

/** Every set of nodes that reach each other (Tarjan's strongly connected components), and every node that imports itself. */
export function circlesOf(graph: Graph): readonly (readonly string[])[] {
  const found: string[][] = []
  const order = new Map<string, number>()
  const open: string[] = []
  const visit = (node: string): number => {
    const at = order.size
    order.set(node, at)
    open.push(node)
    let lowest = at
    for (const next of graph.get(node) ?? []) {
      const seen = order.get(next)
      if (seen === undefined) lowest = Math.min(lowest, visit(next))
      else if (open.includes(next)) lowest = Math.min(lowest, seen)
    }
    if (lowest === at) {
      const circle = open.splice(open.indexOf(node))
      if (circle.length > 1 || graph.get(node)?.has(node) === true) found.push(circle.toSorted())
    }
    return lowest
  }
  for (const node of graph.keys()) if (!order.has(node)) visit(node)
  return found
}
