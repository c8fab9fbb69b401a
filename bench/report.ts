// Prints what was measured: one table a topic, rates for orientation, ratios to quote, and the budget beside them.
import type { Measured, Spread } from './measure.ts'
import { ratio, spread } from './measure.ts'

/** A ratio to quote, and the budget it is held against. */
export interface Budget {
  readonly text: string
  readonly spread: Spread
  /** Which side of the limit is good; `none` for a ratio that only orients. */
  readonly limit: { readonly atLeast: number } | { readonly atMost: number } | 'none'
}

/** Prints the rates of one table. */
export function printRates(title: string, measured: readonly Measured[]): void {
  console.log(`\n${title}`)
  const width = Math.max(...measured.map(({ name }) => name.length))
  for (const { name, rates } of measured) {
    const { median, lowest, highest } = spread(rates)
    console.log(`  ${name.padEnd(width)}  ${figure(median)}/s  [${figure(lowest)} .. ${figure(highest)}]`)
  }
}

/** Prints one ratio with its spread and whether the budget is met. */
export function printBudget({ text, spread: { median, lowest, highest }, limit }: Budget): void {
  console.log(
    `  ${text}: ${figure(median)}  [${figure(lowest)} .. ${figure(highest)}]${verdict(median, limit)}`,
  )
}

function verdict(median: number, limit: Budget['limit']): string {
  if (limit === 'none') return ''
  const met = isMet(median, limit)
  const wanted = 'atLeast' in limit ? `at least ${figure(limit.atLeast)}` : `at most ${figure(limit.atMost)}`
  return `  budget ${wanted}: ${met ? 'met' : 'MISSED'}`
}

function isMet(median: number, limit: Exclude<Budget['limit'], 'none'>): boolean {
  return 'atLeast' in limit ? median >= limit.atLeast : median <= limit.atMost
}

/** The ratio of two measured cases as a budget line. */
export function printRatio(text: string, of: Measured, to: Measured, limit: Budget['limit']): void {
  printBudget({ text, spread: ratio(of, to), limit })
}

/** A rate that has a budget of its own. */
export function printFigure(text: string, measured: Measured, limit: Budget['limit']): void {
  printBudget({ text, spread: spread(measured.rates), limit })
}

/** Three significant digits, thousands separated. */
function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}

/** The same as a row of a table in docs/benchmarks.md. */
export function budgetRow({ text, spread: { median, lowest, highest }, limit }: Budget): readonly string[] {
  const verdict = limit === 'none' ? '' : isMet(median, limit) ? 'met' : '**missed**'
  return [text, `${figure(median)} [${figure(lowest)} .. ${figure(highest)}]`, verdict]
}

/** A table in Markdown, as docs/benchmarks.md has it. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const [heads = [], ...others] = rows
  const lines = [heads, heads.map(() => '---'), ...others]
  console.log(`\n${lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')}`)
}
