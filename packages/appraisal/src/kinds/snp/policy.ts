// What a policy can say of SEV-SNP guests, and what the presets say.

import { block, choice, field } from '../../block.ts'
import { configuration, executables } from '../../details.ts'
import { expect } from '../../expectation.ts'
import { flag, hexes, integers, minimum, words } from '../../leaf.ts'

const U8 = 255
const U32 = 4_294_967_295

const COMPONENTS = {
  bootloader: field(minimum(U8), 'Boot loader SVN.'),
  tee: field(minimum(U8), 'ASP operating system SVN.'),
  snp: field(minimum(U8), 'SNP firmware SVN.'),
  microcode: field(minimum(U8), 'Microcode SVN.'),
}
const MINIMUM_TCB =
  "Lowest SVN of each component, demanded of the reported and of the launch TCB. AMD publishes no TCB status, so this is the gate: 'unstated' refuses every report until a minimum is stated; 'any' accepts every firmware."

const GUEST_POLICY = block('Bits of the guest POLICY.', {
  smtAllowed: expect(flag(), configuration('snp.policy.smtAllowed', 'SMT.')),
  migrateMaAllowed: expect(
    flag(),
    configuration('snp.policy.migrateMaAllowed', 'MIGRATE_MA: a migration agent may export the guest.'),
  ),
  singleSocketRequired: expect(flag(), configuration('snp.policy.singleSocketRequired', 'SINGLE_SOCKET.')),
  cxlAllowed: expect(flag(), configuration('snp.policy.cxlAllowed', 'CXL_ALLOW.')),
  memAes256XtsRequired: expect(flag(), configuration('snp.policy.memAes256XtsRequired', 'MEM_AES_256_XTS.')),
  raplDisabled: expect(flag(), configuration('snp.policy.raplDisabled', 'RAPL_DIS.')),
  ciphertextHidingRequired: expect(
    flag(),
    configuration('snp.policy.ciphertextHidingRequired', 'CIPHERTEXT_HIDING_DRAM.'),
  ),
  pageSwapDisabled: expect(flag(), configuration('snp.policy.pageSwapDisabled', 'PAGE_SWAP_DISABLE.')),
})

const HOST = 'the host has to be set up so; start the workload on another one'
const PLATFORM_INFO = block('Bits of PLATFORM_INFO.', {
  smtEnabled: expect(flag(), configuration('snp.platformInfo.smtEnabled', 'SMT_EN.', HOST)),
  tsmeEnabled: expect(flag(), configuration('snp.platformInfo.tsmeEnabled', 'TSME_EN.', HOST)),
  eccEnabled: expect(flag(), configuration('snp.platformInfo.eccEnabled', 'ECC_EN.', HOST)),
  raplDisabled: expect(flag(), configuration('snp.platformInfo.raplDisabled', 'RAPL_DIS.', HOST)),
  ciphertextHidingEnabled: expect(
    flag(),
    configuration('snp.platformInfo.ciphertextHidingEnabled', 'CIPHERTEXT_HIDING_DRAM_EN.', HOST),
  ),
  aliasCheckComplete: expect(
    flag(),
    configuration('snp.platformInfo.aliasCheckComplete', 'ALIAS_CHECK_COMPLETE: no aliased memory.', HOST),
  ),
  tioEnabled: expect(flag(), configuration('snp.platformInfo.tioEnabled', 'TIO_EN.', HOST)),
})

export const SNP_POLICY = block('SEV-SNP guests (ATTESTATION_REPORT).', {
  measurement: expect(hexes(48), executables('snp.measurement', 'Launch measurements.')),
  idKeyDigest: expect(hexes(48), executables('snp.idKeyDigest', 'Digests of the ID keys.')),
  authorKeyDigest: expect(hexes(48), executables('snp.authorKeyDigest', 'Digests of the author keys.')),
  familyId: expect(hexes(16), executables('snp.familyId', 'Family ids of the ID block.')),
  imageId: expect(hexes(16), executables('snp.imageId', 'Image ids of the ID block.')),
  minGuestSvn: expect(minimum(U32), executables('snp.guestSvn', 'Lowest guest SVN of the ID block.')),
  vmpl: expect(
    integers(0, 3),
    configuration('snp.vmpl', 'Privilege levels that may ask for the report; 0 is the most privileged.'),
  ),
  products: expect(words(['Milan', 'Genoa', 'Turin']), {
    claim: 'snp.product',
    facet: 'hardware',
    meaning: 'Processor families.',
    remedy: 'start the workload on a processor of a family that the policy names',
  }),
  signingKeys: expect(words(['VCEK', 'VLEK']), {
    claim: 'snp.signingKey',
    facet: 'hardware',
    meaning: 'Keys that may sign the report: VCEK (of the chip) or VLEK (loaded by a cloud provider).',
    remedy: 'have the host sign with the other key, or add it here',
  }),
  revocation: expect(words(['checked']), {
    claim: 'snp.revocation',
    facet: 'hardware',
    meaning:
      "'checked': a revocation list of AMD's root that covers the time has to be supplied to the verification.",
    remedy: "supply the product's newest CRL from AMD's key distribution service",
  }),
  minimumTcb: block('Minimum TCB per processor family; the numbers of different families do not compare.', {
    Milan: choice(MINIMUM_TCB, ['any', 'unstated'], COMPONENTS),
    Genoa: choice(MINIMUM_TCB, ['any', 'unstated'], COMPONENTS),
    Turin: choice(MINIMUM_TCB, ['any', 'unstated'], {
      fmc: field(minimum(U8), 'FMC SVN.'),
      ...COMPONENTS,
    }),
  }),
  guestPolicy: GUEST_POLICY,
  platformInfo: PLATFORM_INFO,
})

const ANY_SNP = {
  measurement: 'any',
  idKeyDigest: 'any',
  authorKeyDigest: 'any',
  familyId: 'any',
  imageId: 'any',
  minGuestSvn: 'any',
  products: 'any',
  signingKeys: 'any',
  platformInfo: {
    smtEnabled: 'any',
    tsmeEnabled: 'any',
    eccEnabled: 'any',
    raplDisabled: 'any',
    ciphertextHidingEnabled: 'any',
    aliasCheckComplete: 'any',
    tioEnabled: 'any',
  },
}

const ANY_GUEST_POLICY = {
  smtAllowed: 'any',
  singleSocketRequired: 'any',
  cxlAllowed: 'any',
  memAes256XtsRequired: 'any',
  raplDisabled: 'any',
  ciphertextHidingRequired: 'any',
  pageSwapDisabled: 'any',
}

export const STRICT_SNP = {
  ...ANY_SNP,
  vmpl: [0],
  revocation: 'checked',
  minimumTcb: { Milan: 'unstated', Genoa: 'unstated', Turin: 'unstated' },
  guestPolicy: { ...ANY_GUEST_POLICY, migrateMaAllowed: false },
}

/** Any firmware. */
export const STANDARD_SNP = {
  ...STRICT_SNP,
  revocation: 'any',
  minimumTcb: { Milan: 'any', Genoa: 'any', Turin: 'any' },
}
