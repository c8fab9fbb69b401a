// What a policy can say of TDX domains, and what the presets say.

import type { TdMigrationClaims } from '@casemate/evidence'
import { block } from '../../block.ts'
import { configuration, executables } from '../../details.ts'
import { expect } from '../../expectation.ts'
import { bits, flag, hexes, integers } from '../../leaf.ts'

const U8 = 255

const MIGRATED =
  'the domain, its history or its migration TD is another than the policy states; start it anew'
const migration = (field: keyof TdMigrationClaims, meaning: string) =>
  configuration(`tdx.migration.${field}`, meaning, MIGRATED)

const MIGRATION = block(
  'What a body of 1.5 with migration fields says of the domain, whatever host it is on. Naming anything here demands such a body.',
  {
    vmId: expect(integers(0, U8), migration('vmId', 'VMID.')),
    tdId: expect(hexes(32), migration('tdId', 'TD_ID: the same on every host.')),
    devInfo: expect(hexes(48), migration('devInfo', 'DEVINFO.')),
    initServiceTdHash: expect(
      hexes(48),
      migration('initServiceTdHash', 'INIT_SERVTD_HASH: service domains that the domain was created with.'),
    ),
    initServiceTdAttributes: expect(
      bits(8),
      migration('initServiceTdAttributes', 'INIT_SERVTD_ATTR, masked.'),
    ),
    initCpuSvn: expect(hexes(16), migration('initCpuSvn', 'INIT_CPUSVN: of the host that created it.')),
    initTeeTcbSvn: expect(hexes(16), migration('initTeeTcbSvn', 'INIT_TEE_TCB_SVN: of that host.')),
    initTeeFmspc: expect(hexes(12), migration('initTeeFmspc', 'INIT_TEE_FMSPC: of that host.')),
    currentServiceTdHash: expect(
      hexes(48),
      migration('currentServiceTdHash', 'CURR_SERVTD_HASH: service domains that it has now.'),
    ),
    currentServiceTdAttributes: expect(
      bits(8),
      migration('currentServiceTdAttributes', 'CURR_SERVTD_ATTR, masked.'),
    ),
  },
)

export const TDX_POLICY = block('TDX domains (TD_QUOTE_BODY).', {
  mrTd: expect(hexes(48), executables('tdx.mrTd', 'Measurements of the initial domain: its firmware.')),
  rtmr0: expect(hexes(48), executables('tdx.rtmr0', 'Firmware configuration and boot variables.')),
  rtmr1: expect(hexes(48), executables('tdx.rtmr1', 'Boot loader and kernel.')),
  rtmr2: expect(hexes(48), executables('tdx.rtmr2', 'Kernel command line and initial RAM disk.')),
  rtmr3: expect(hexes(48), executables('tdx.rtmr3', 'What the guest extends at run time.')),
  mrSeam: expect(hexes(48), {
    claim: 'tdx.mrSeam',
    facet: 'hardware',
    meaning: 'Measurements of the TDX module.',
    remedy: 'the host runs another TDX module; update it, or add its measurement',
  }),
  mrConfigId: expect(hexes(48), configuration('tdx.mrConfigId', 'MRCONFIGID values.')),
  mrOwner: expect(hexes(48), executables('tdx.mrOwner', 'MROWNER values.')),
  mrOwnerConfig: expect(hexes(48), configuration('tdx.mrOwnerConfig', 'MROWNERCONFIG values.')),
  mrServiceTd: expect(hexes(48), executables('tdx.mrServiceTd', 'Service domains (1.5 bodies only).')),
  migration: MIGRATION,
  tdAttributes: expect(bits(8), configuration('tdx.tdAttributes', 'TDATTRIBUTES, masked.')),
  xfam: expect(bits(8), configuration('tdx.xfam', 'XFAM, masked.')),
  attributes: block('TDATTRIBUTES by name; `debug` covers those that make a TD untrusted.', {
    migratable: expect(
      flag(),
      configuration(
        'tdx.attributes.migratable',
        'MIGRATABLE: a migration TD may move the domain, memory and all, to another host.',
        'start the domain without migration, or accept it where you know the migration TD',
      ),
    ),
    icssd: expect(flag(), configuration('tdx.attributes.icssd', 'ICSSD.')),
    servtdExt: expect(
      flag(),
      configuration(
        'tdx.attributes.servtdExt',
        'SERVTD_EXT: service domains, as a migration TD, may be bound anew.',
        'start the domain without it, or accept it where `tdx.migration` names the service domains that you know',
      ),
    ),
    lass: expect(flag(), configuration('tdx.attributes.lass', 'LASS: linear address space separation.')),
    septVeDisable: expect(
      flag(),
      configuration('tdx.attributes.septVeDisable', 'SEPT_VE_DISABLE: no #VE on pending pages.'),
    ),
    protectionKeys: expect(
      flag(),
      configuration('tdx.attributes.protectionKeys', 'PKS: supervisor protection keys.'),
    ),
    keyLocker: expect(flag(), configuration('tdx.attributes.keyLocker', 'KL: Key Locker.')),
    tpa: expect(flag(), configuration('tdx.attributes.tpa', 'TPA: a TDX Connect provisioning agent.')),
    perfmon: expect(flag(), configuration('tdx.attributes.perfmon', 'PERFMON: performance counters.')),
    unknownBits: expect(
      bits(8),
      configuration(
        'tdx.attributes.unknownBits',
        'Set bits that have no name here, masked; bits 8 to 31 are security attributes.',
        'find out what the bit means in the TDX module’s ABI, then take it out of the mask',
      ),
    ),
  }),
})

const ANY_MIGRATION = {
  vmId: 'any',
  tdId: 'any',
  devInfo: 'any',
  initServiceTdHash: 'any',
  initServiceTdAttributes: 'any',
  initCpuSvn: 'any',
  initTeeTcbSvn: 'any',
  initTeeFmspc: 'any',
  currentServiceTdHash: 'any',
  currentServiceTdAttributes: 'any',
}

const ANY_TDX = {
  mrTd: 'any',
  rtmr0: 'any',
  rtmr1: 'any',
  rtmr2: 'any',
  rtmr3: 'any',
  mrSeam: 'any',
  mrConfigId: 'any',
  mrOwner: 'any',
  mrOwnerConfig: 'any',
  mrServiceTd: 'any',
  migration: ANY_MIGRATION,
  tdAttributes: 'any',
  xfam: 'any',
  attributes: {
    migratable: 'any',
    icssd: 'any',
    servtdExt: 'any',
    lass: 'any',
    septVeDisable: 'any',
    protectionKeys: 'any',
    keyLocker: 'any',
    tpa: 'any',
    perfmon: 'any',
    unknownBits: 'any',
  },
}

/** Not movable to a host that nobody attested; SEPT_VE_DISABLE is left open, as clouds with a paravisor lack it. */
export const FIXED_TDX = { ...ANY_TDX, attributes: { ...ANY_TDX.attributes, migratable: false } }
/** TUD and SEC, in the order of the wire: what such a bit means is not known, and may be anything. */
const NO_UNKNOWN_SECURITY_BITS = { value: '0000000000000000', mask: 'ffffffff00000000' }

export const STRICT_TDX = {
  ...FIXED_TDX,
  attributes: { ...FIXED_TDX.attributes, servtdExt: false, unknownBits: NO_UNKNOWN_SECURITY_BITS },
}
