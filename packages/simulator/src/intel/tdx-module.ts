// The simulated TDX module, and the TEE TCB SVNs that go with it: byte 0 is the module’s SVN, byte 1 its major
// version, byte 2 the late microcode’s SVN (Intel PCS API v4, “Get TCB Info”, tdxModuleIdentities).

/** Hex; `mrSigner` is zero as Intel’s is, so the identity has nothing else to go by than the id. */
export const TDX_MODULE = {
  id: 'TDX_01',
  mrSigner: '00'.repeat(48),
  isvSvn: 6,
  previousIsvSvn: 4,
} as const

/** TEE_TCB_SVN of a TD on this platform. */
export const TEE_TCB_SVN = [6, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] as const

/** TDX components of the newest and the previous TCB level. */
export const CURRENT_TDX_SVN = [5, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] as const
export const PREVIOUS_TDX_SVN = [5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] as const
