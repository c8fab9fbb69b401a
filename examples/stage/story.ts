// How an example tells what it does: numbered steps of one plain sentence each, and below it what was seen to be so.

/** Of a screen, in characters. */
const WIDTH = 80
const LABEL_WIDTH = 12

export interface Proof {
  readonly what: string
  readonly detail: string
}

export class Story {
  readonly #print: (line?: string) => void
  #steps = 0

  constructor(print: (line?: string) => void) {
    this.#print = print
  }

  open(title: string, sentence: string): void {
    this.#print()
    this.#print(`  ${title}`)
    for (const line of wrapped(sentence, WIDTH - 2)) this.#print(`  ${line}`)
  }

  step(title: string, sentence: string, proofs: readonly Proof[] = []): void {
    this.#print()
    this.#print(`  ${++this.#steps}. ${title}`)
    for (const line of wrapped(sentence, WIDTH - 5)) this.#print(`     ${line}`)
    for (const { what, detail } of proofs) {
      const [first = '', ...rest] = wrapped(detail, WIDTH - LABEL_WIDTH - 8)
      // A long name has a line of its own.
      const isLong = what.length > LABEL_WIDTH
      if (isLong) this.#print(`     ${what}`)
      this.#print(`     ${(isLong ? '' : what).padEnd(LABEL_WIDTH)} ${first}`)
      for (const line of rest) this.#print(`     ${' '.repeat(LABEL_WIDTH)} ${line}`)
    }
  }

  end(sentence: string): void {
    this.#print()
    this.#print(`  ${sentence}`)
  }

  /** Says where the files are that it wrote, if they are kept. */
  endKept(directory: string | undefined): void {
    this.end(directory === undefined ? 'Nothing is left of this.' : `What was written is in ${directory}.`)
  }
}

/** At spaces; a longer word stands by itself. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
