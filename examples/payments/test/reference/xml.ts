// XML by fast-xml-parser, made as strict as a message must be: what that library lets pass is looked for beforehand.
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { NAMESPACE } from '../../assembly/schema.ts'

export interface Node {
  /** Without prefix. */
  readonly name: string
  /** In the namespace of the message. */
  readonly isOfMessage: boolean
  readonly namespace: string | null
  /** Attribute Ccy. */
  readonly currency: string | null
  readonly children: readonly Node[]
  /** Whether there is text that is not white space between the children. */
  readonly hasText: boolean
  readonly text: string
  readonly hasOtherAttributes: boolean
}

const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  cdataPropName: '#cdata',
  commentPropName: '#comment',
  processEntities: false,
})

/** Null if it is not well-formed, or has a document type or an entity that is not XML's own. */
export function parseXml(bytes: Uint8Array): Node | null {
  const text = decode(bytes)
  if (text === null || text.includes('<!DOCTYPE') || /<!ENTITY/.test(text)) return null
  const withoutCdata = text.replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, '')
  if (/\]\]>/.test(withoutCdata)) return null
  if (/&(?!(?:lt|gt|amp|quot|apos|#\d+|#x[0-9a-fA-F]+);)/.test(withoutCdata)) return null
  if (XMLValidator.validate(text) !== true) return null
  const roots = (parser.parse(text) as Raw[]).filter(item => isElement(item))
  const [root] = roots
  if (root === undefined || roots.length !== 1) return null
  try {
    return nodeOf(root, new Map(), 1)
  } catch {
    return null
  }
}

type Raw = Record<string, unknown>

/** Characters that are in no XML. */
const NO_CHARACTER = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u

function decode(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return NO_CHARACTER.test(text) ? null : text.replaceAll(/\r\n?/g, '\n')
  } catch {
    return null
  }
}

function isElement(raw: Raw): boolean {
  return !nameOf(raw).startsWith('#') && !nameOf(raw).startsWith('?')
}

function nameOf(raw: Raw): string {
  return Object.keys(raw).find(key => key !== ':@') ?? '#text'
}

const MAX_DEPTH = 32

function nodeOf(raw: Raw, outer: ReadonlyMap<string, string>, depth: number): Node {
  if (depth > MAX_DEPTH) throw new RangeError('too deep')
  const tag = nameOf(raw)
  const attributes = Object.entries((raw[':@'] ?? {}) as Record<string, string>)
  const spaces = new Map(outer)
  for (const [name, value] of attributes) {
    if (name === 'xmlns') spaces.set('', value)
    if (name.startsWith('xmlns:')) spaces.set(name.slice(6), value)
  }
  const others = attributes.filter(([name]) => !isHarmless(name, spaces))
  const content = raw[tag] as Raw[]
  const namespace = namespaceOf(tag, spaces)
  const texts = content.filter(item => '#text' in item || '#cdata' in item).map(contentOf)
  return {
    name: tag.split(':').at(-1) ?? '',
    namespace,
    isOfMessage: namespace === NAMESPACE,
    currency: attributes.find(([name]) => name === 'Ccy')?.[1] ?? null,
    children: content.filter(item => isElement(item)).map(item => nodeOf(item, spaces, depth + 1)),
    hasText: texts.join('').trim() !== '' || content.some(item => '#cdata' in item),
    text: texts.join(''),
    hasOtherAttributes: others.length > 0,
  }
}

function contentOf(item: Raw): string {
  if ('#text' in item) return resolve(String(item['#text']))
  return (item['#cdata'] as Raw[]).map(part => String(part['#text'])).join('')
}

function namespaceOf(tag: string, spaces: ReadonlyMap<string, string>): string | null {
  const parts = tag.split(':')
  if (parts.length === 1) return spaces.get('') ?? null
  const space = spaces.get(parts[0] ?? '')
  if (parts.length > 2 || space === undefined) throw new SyntaxError('a prefix that is not bound')
  return space
}

function isHarmless(name: string, spaces: ReadonlyMap<string, string>): boolean {
  if (name === 'xmlns' || name.startsWith('xmlns:') || name === 'Ccy') return true
  const [prefix = '', local = ''] = name.split(':')
  const isHint = local === 'schemaLocation' || local === 'noNamespaceSchemaLocation'
  return isHint && spaces.get(prefix) === INSTANCE
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function resolve(text: string): string {
  return text.replaceAll(/&(#x?)?([0-9a-zA-Z]+);/g, (_, kind: string | undefined, body: string) => {
    if (kind === undefined) return NAMED[body] ?? ''
    const point = Number.parseInt(body, kind === '#x' ? 16 : 10)
    if (NO_CHARACTER.test(String.fromCodePoint(point))) throw new RangeError('a reference to no character')
    return String.fromCodePoint(point)
  })
}
