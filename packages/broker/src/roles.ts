// Roles and what they open. Each role may do all that the one before it may.

/** In rising order: auditors read, writers manage secrets, policies, references and rules, admins tokens, keys and erasure. */
export const ROLES = ['auditor', 'writer', 'admin'] as const
export type Role = (typeof ROLES)[number]

/**
 * Who may call a route; every route declares one in its `config.access`, and one that does not is refused at start.
 * `guest`: the route authenticates an attested guest itself; `public`: anyone.
 */
export type Access = Role | 'guest' | 'public'

/** Whoever presented a valid administrator’s token. */
export interface Administrator {
  /** The token’s id, not its secret. */
  readonly token: string
  readonly name: string
  readonly role: Role
}

/** The role that a route demands; null where it is for others, or was not found and is nobody's. */
export function neededRole(access: Access | undefined): Role | null {
  return ROLES.find(role => role === access) ?? null
}

export function roleAllows(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed)
}
