// ARCHITECTURE.md tells the truth: its floors are those that the imports are held to, and what it says to read is there.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { filesOf, foldersOf } from './import-graph.ts'
import { MAY_IMPORT } from './rooms.ts'

const TEXT = readFileSync('ARCHITECTURE.md', 'utf8')
const DECISIONS = readdirSync('docs/decisions').join('\n')

/** The cells of each row below a heading of a table. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  const start = TEXT.indexOf(heading)
  assert.ok(start >= 0, heading)
  const [table = ''] = TEXT.slice(start).split('\n\n')
  return table
    .split('\n')
    .slice(2)
    .filter(line => line.startsWith('|'))
    .map(line =>
      line
        .split('|')
        .map(cell => cell.trim())
        .slice(1, -1),
    )
}

test('the table of rooms says who may import whom', () => {
  const told = rowsBelow('| room |').map(([room = '', , imports = '']) => {
    const names = imports === '–' ? [] : imports.split(', ')
    return [room.replaceAll('`', ''), imports === 'all' ? 'all' : names.toSorted()]
  })
  const others = (room: string): readonly string[] => Object.keys(MAY_IMPORT).filter(name => name !== room)
  const held = Object.entries(MAY_IMPORT).map(([room, allowed]) => {
    const names = allowed.toSorted()
    return [room, names.length === others(room).length ? 'all' : names]
  })
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(held))
})

describe('the rooms of the broker', () => {
  const needs = foldersOf(filesOf('packages/broker/src'))
  /** Without what all may use: `config`, and files of the root. */
  const roomsNeeded = (node: string) =>
    [...needs.get(node)!].filter(name => /^\w+$/.test(name) && name !== 'config').toSorted()
  const rows = rowsBelow('| room | one sentence | needs |').filter(([room]) => room !== 'the root')
  const rooms = rows.map(([room = '']) => room.replace(/^`(\w+)\/`$/, '$1'))

  test('need each other as its table says', () => {
    const told = rows.map(([, , others = ''], at) => {
      if (others === 'all')
        return [rooms[at], rooms.filter(one => one !== rooms[at] && one !== 'config').toSorted()]
      return [rooms[at], others === '–' ? [] : others.split(', ').toSorted()]
    })
    const folders = [...needs.keys()].filter(node => !node.endsWith('.ts'))
    const held = folders.map(room => [room, roomsNeeded(room)])
    assert.deepEqual(Object.fromEntries(told), Object.fromEntries(held))
  })

  test('stand there above all that they need', () => {
    for (const [at, room] of rooms.entries()) {
      const above = roomsNeeded(room).filter(other => rooms.indexOf(other) < at)
      assert.deepEqual(above, [], room)
    }
  })

  test('are needed by no file of the root but the entry', () => {
    const files = [...needs.keys()].filter(node => node.endsWith('.ts'))
    const needy = files.filter(file => [...needs.get(file)!].some(other => !other.endsWith('.ts')))
    assert.deepEqual(needy, ['index.ts'])
  })
})

/** The file or folder: from the root, beside what was named before, or in its package. */
function found(path: string, before: string): string | undefined {
  const [top = '', room = ''] = before.split('/')
  const places = ['.', before, dirname(before), join(top, room), join(top, room, 'src')]
  return places.map(place => join(place, path)).find(candidate => existsSync(candidate))
}

for (const [what = '', where = ''] of rowsBelow('| to learn |')) {
  test(`what to read is there: ${what}`, () => {
    let before = '.'
    const paths = [...where.matchAll(/`([^`]+)`/g)].map(match => match[1]!)
    for (const path of paths) {
      const file = found(path, before)
      assert.ok(file !== undefined, `${path}, after ${before}`)
      before = file
    }
    const decisions = [...where.matchAll(/decision (\d+)/g)].map(match => match[1]!.padStart(4, '0'))
    for (const number of decisions) assert.match(DECISIONS, new RegExp(`^${number}-`, 'm'))
    assert.ok(paths.length + decisions.length > 0)
  })
}
