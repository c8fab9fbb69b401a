// Both vendors’ stored platforms have in common a named form, and the time at which the platform was made.

/** @throws {TypeError} if the document is of another form, or has no time */
export function checkStored(
  stored: { readonly format: string; readonly createdAt: string },
  format: string,
): { readonly createdAt: Date } {
  if (stored.format !== format) {
    throw new TypeError(`stored platform has format ${stored.format}, want ${format}`)
  }
  const createdAt = new Date(stored.createdAt)
  if (Number.isNaN(createdAt.getTime())) throw new TypeError('stored platform has no valid createdAt')
  return { createdAt }
}
