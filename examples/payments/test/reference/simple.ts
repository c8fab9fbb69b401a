// The simple types of the schema by regular expressions, and decimals as whole numbers of 10^-17.

const DECIMAL = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/

const PATTERNS: Readonly<Record<string, RegExp>> = {
  bic: /^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$/,
  country: /^[A-Z]{2}$/,
  currency: /^[A-Z]{3}$/,
  iban: /^[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}$/,
  phone: /^\+[0-9]{1,3}-[0-9()+-]{1,30}$/,
}

export function isSimple(type: string, text: string): boolean {
  const [, kind = '', size = '0', fraction = '0'] = /^([a-z]+)(\d+)?(?:\.(\d+))?$/i.exec(type) ?? []
  const pattern = PATTERNS[type]
  if (pattern !== undefined) return pattern.test(text)
  if (type.includes('/')) return type.split('/').includes(text)
  if (kind === 'text') return text.length > 0 && Array.from(text).length <= Number(size)
  if (kind === 'numeric') return text.length <= Number(size) && /^[0-9]+$/.test(text)
  const trimmed = text.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
  switch (type === 'amount' ? 'amount' : kind) {
    case 'amount':
      return isDecimal(trimmed, 18, 5) && decimalOf(trimmed) >= 0n
    case 'decimal':
      return isDecimal(trimmed, Number(size), Number(fraction))
    case 'boolean':
      return ['true', 'false', '0', '1'].includes(trimmed)
    case 'date':
      return isDate(trimmed)
    case 'dateTime':
      return isDate(trimmed.slice(0, 10)) && trimmed[10] === 'T' && isTime(trimmed.slice(11))
    case 'time':
      return isTime(trimmed)
    default:
      throw new TypeError(`no such type: ${type}`)
  }
}

const ZONE = String.raw`(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)?`
const TIME = new RegExp(String.raw`^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?${ZONE}$`)
const DATE = new RegExp(String.raw`^(\d{4})-(\d\d)-(\d\d)${ZONE}$`)

function isTime(text: string): boolean {
  return TIME.test(text)
}

function isDate(text: string): boolean {
  const [, year = '', month = '', date = ''] = DATE.exec(text) ?? []
  if (year === '' || year === '0000') return false
  const parsed = new Date(`${year}-${month}-${date}T00:00:00Z`)
  return !Number.isNaN(parsed.getTime()) && parsed.getUTCDate() === Number(date)
}

/** Days since 1970-01-01 of what begins with a date. */
export function dayOf(text: string): number {
  return Date.parse(`${text.trim().slice(0, 10)}T00:00:00Z`) / 86_400_000
}

interface Digits {
  readonly sign: string
  readonly whole: string
  readonly fraction: string
}

function digitsOf(text: string): Digits | null {
  if (!/\d/.test(text)) return null
  const match = DECIMAL.exec(text)
  return match === null ? null : { sign: match[1] ?? '', whole: match[2] ?? '', fraction: match[3] ?? '' }
}

function isDecimal(text: string, total: number, fraction: number): boolean {
  const digits = digitsOf(text)
  if (digits === null || digits.fraction.length > fraction) return false
  return digits.whole.length <= 18 && digits.whole.length + digits.fraction.length <= total
}

export function decimalOf(text: string): bigint {
  const digits = digitsOf(text.trim())
  if (digits === null) throw new TypeError(`not a decimal: ${text}`)
  const value = BigInt(`${digits.whole}${digits.fraction.padEnd(17, '0')}`)
  return digits.sign === '-' ? -value : value
}

/** Digits after the point that say something. */
export function fractionDigits(text: string): number {
  return digitsOf(text.trim())?.fraction.length ?? 0
}
