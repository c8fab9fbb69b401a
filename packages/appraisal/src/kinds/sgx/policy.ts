// What a policy can say of SGX enclaves, and what the presets say.

import { block } from '../../block.ts'
import { configuration, executables } from '../../details.ts'
import { expect } from '../../expectation.ts'
import { bits, hexes, integers, minimum } from '../../leaf.ts'

const U16 = 65_535

export const SGX_POLICY = block('SGX enclaves (SGX_REPORT_BODY).', {
  mrEnclave: expect(hexes(32), executables('sgx.mrEnclave', 'Enclave measurements.')),
  mrSigner: expect(hexes(32), executables('sgx.mrSigner', "Digests of the signers' public keys.")),
  isvProdId: expect(
    integers(0, U16),
    executables('sgx.isvProdId', 'Product ids; they mean something per mrSigner only.'),
  ),
  minIsvSvn: expect(
    minimum(U16),
    executables('sgx.isvSvn', 'Lowest security version; it means something per mrSigner only.'),
  ),
  isvExtProdId: expect(hexes(16), executables('sgx.isvExtProdId', 'Extended product ids (KSS).')),
  isvFamilyId: expect(hexes(16), executables('sgx.isvFamilyId', 'Family ids (KSS).')),
  attributesFlags: expect(bits(8), configuration('sgx.attributesFlags', 'ATTRIBUTES.FLAGS, masked.')),
  attributesXfrm: expect(bits(8), configuration('sgx.attributesXfrm', 'ATTRIBUTES.XFRM, masked.')),
  miscSelect: expect(bits(4), configuration('sgx.miscSelect', 'MISCSELECT, masked.')),
  configId: expect(hexes(64), configuration('sgx.configId', 'CONFIGID values (KSS).')),
  minConfigSvn: expect(minimum(U16), configuration('sgx.configSvn', 'Lowest CONFIGSVN (KSS).')),
})

export const ANY_SGX = {
  mrEnclave: 'any',
  mrSigner: 'any',
  isvProdId: 'any',
  minIsvSvn: 'any',
  isvExtProdId: 'any',
  isvFamilyId: 'any',
  attributesFlags: 'any',
  attributesXfrm: 'any',
  miscSelect: 'any',
  configId: 'any',
  minConfigSvn: 'any',
}
