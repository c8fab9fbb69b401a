// The answer to a shell that asks what could come next; the lines are those that its script reads.

import type { Terminal } from '../terminal/terminal.ts'
import { candidatesFor } from './candidates.ts'

export async function answerShell(words: readonly string[], terminal: Terminal): Promise<void> {
  const found = await candidatesFor(words, terminal).catch(() => [])
  const lines =
    typeof found === 'string' ? [`:${found}`] : found.map(([word, summary]) => `${word}\t${oneLine(summary)}`)
  terminal.writeBytes(new TextEncoder().encode(lines.map(line => `${line}\n`).join('')))
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
