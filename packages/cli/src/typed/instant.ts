// A time as a person types it: a date, or RFC 3339 with its zone. Nothing else: what a runtime's lenient parser makes of
// `5m` is May 2001.

/** A time without a zone would mean another moment on every machine. */
const INSTANT = /^(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/i

/** Null for what is none; a 30 February is none. */
export function readInstant(typed: string): Date | null {
  const date = INSTANT.exec(typed)?.[1]
  if (date === undefined) return null
  const [day, at] = [new Date(date), new Date(typed.replace(' ', 'T'))]
  if (Number.isNaN(day.getTime()) || Number.isNaN(at.getTime())) return null
  return day.toISOString().startsWith(date) ? at : null
}
