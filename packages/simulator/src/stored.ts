// Both vendors’ platforms are made and stored alike: keys and settings, and the time at which the platform was made.
import { exportKey, type SigningKey } from './keys.ts'

/** A platform in JSON: holds private keys, so whoever stores it does so with mode 0600. */
export interface StoredPlatform<Settings, KeyName extends string> {
  /** Names the version of this form. */
  readonly format: string
  readonly createdAt: string
  readonly settings: Settings
  readonly keys: Readonly<Record<KeyName, string>>
}

/** A platform is made of these, and everything that it says follows from them. */
export interface PlatformParts<Settings, Keys, Faults> {
  readonly keys: Keys
  readonly settings: Settings
  readonly createdAt: Date
  /** When its endorsements are issued. */
  readonly now: Date
  readonly faults: Faults
}

/** @throws {TypeError} for a platform with faults, which are for tests only */
export function storePlatform<Settings, KeyName extends string>(
  {
    keys,
    settings,
    createdAt,
    faults,
  }: PlatformParts<Settings, Readonly<Record<KeyName, SigningKey>>, object>,
  format: string,
): StoredPlatform<Settings, KeyName> {
  if (Object.keys(faults).length > 0)
    throw new TypeError('a platform with faults is for tests and is not stored')
  const exported = Object.entries<SigningKey>(keys).map(([name, key]) => [name, exportKey(key)])
  return {
    format,
    createdAt: createdAt.toISOString(),
    settings,
    keys: Object.fromEntries(exported) as Record<KeyName, string>,
  }
}

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
