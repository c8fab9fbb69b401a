// go-tdx-guest's `QuoteV4` and `QuoteV5` back to the quote that they were made of (Intel TDX DCAP Quoting Library API, A.3).
// What was lost or changed on the way, the quote's signature does not cover any more: verification refuses it.

import { concat } from '../../bytes.ts'
import { damaged } from '../layer.ts'
import { type FieldMap, ProtoFields } from './fields.ts'

const PCE_AND_QE_SVN_SIZE = 2
const VENDOR_ID_SIZE = 16
const USER_DATA_SIZE = 20
const RTMRS = 4
const REGISTER_SIZE = 48
const BODY_1_0 = 2n
const BODY_1_5 = 3n
const SIGNATURE_SIZE = 64

/** The quote’s bytes. @throws {Refusal} `evidence-malformed` */
export function encodeTdxQuote(map: FieldMap): Uint8Array {
  const quote = new ProtoFields(map, '')
  const signed = signedData(quote.message('signed_data'))
  return concat(
    header(quote.message('header')),
    quote.has('td_quote_body_descriptor')
      ? describedBody(quote.message('td_quote_body_descriptor'))
      : body(quote.message('td_quote_body')),
    little(BigInt(signed.length), 4),
    signed,
    quote.bytesOfAnySize('extra_bytes'),
  )
}

function header(fields: ProtoFields): Uint8Array {
  return concat(
    little(fields.uint('version', 2), 2),
    little(fields.uint('attestation_key_type', 2), 2),
    little(fields.uint('tee_type', 4), 4),
    fields.bytes('pce_svn', PCE_AND_QE_SVN_SIZE),
    fields.bytes('qe_svn', PCE_AND_QE_SVN_SIZE),
    fields.bytes('qe_vendor_id', VENDOR_ID_SIZE),
    fields.bytes('user_data', USER_DATA_SIZE),
  )
}

/** A body of version 5 stands behind its type and its size. */
function describedBody(descriptor: ProtoFields): Uint8Array {
  const type = descriptor.uint('td_quote_body_type', 2)
  const fields = descriptor.message('td_quote_body_v5')
  if (type !== BODY_1_0 && type !== BODY_1_5) {
    throw damaged('the field td_quote_body_type', `${BODY_1_0} or ${BODY_1_5}`, `${type}`)
  }
  const added =
    type === BODY_1_5 ? [fields.bytes('tee_tcb_svn2', 16), fields.bytes('mr_service_td', REGISTER_SIZE)] : []
  const content = concat(body(fields), ...added)
  return concat(little(type, 2), little(BigInt(content.length), 4), content)
}

function body(fields: ProtoFields): Uint8Array {
  return concat(
    fields.bytes('tee_tcb_svn', 16),
    fields.bytes('mr_seam', REGISTER_SIZE),
    fields.bytes('mr_signer_seam', REGISTER_SIZE),
    fields.bytes('seam_attributes', 8),
    fields.bytes('td_attributes', 8),
    fields.bytes('xfam', 8),
    fields.bytes('mr_td', REGISTER_SIZE),
    fields.bytes('mr_config_id', REGISTER_SIZE),
    fields.bytes('mr_owner', REGISTER_SIZE),
    fields.bytes('mr_owner_config', REGISTER_SIZE),
    ...fields.list('rtmrs', RTMRS, REGISTER_SIZE),
    fields.bytes('report_data', 64),
  )
}

function signedData(fields: ProtoFields): Uint8Array {
  const certification = fields.message('certification_data')
  const data = qeReportData(certification.message('qe_report_certification_data'))
  return concat(
    fields.bytes('signature', SIGNATURE_SIZE),
    fields.bytes('ecdsa_attestation_key', SIGNATURE_SIZE),
    little(certification.uint('certificate_data_type', 2), 2),
    little(BigInt(data.length), 4),
    data,
  )
}

function qeReportData(fields: ProtoFields): Uint8Array {
  const authentication = fields.has('qe_auth_data')
    ? fields.message('qe_auth_data').bytesOfAnySize('data')
    : new Uint8Array(0)
  const chain = fields.message('pck_certificate_chain_data')
  const certificates = chain.bytesOfAnySize('pck_cert_chain')
  return concat(
    qeReport(fields.message('qe_report')),
    fields.bytes('qe_report_signature', SIGNATURE_SIZE),
    little(BigInt(authentication.length), 2),
    authentication,
    little(chain.uint('certificate_data_type', 2), 2),
    little(BigInt(certificates.length), 4),
    certificates,
  )
}

function qeReport(fields: ProtoFields): Uint8Array {
  return concat(
    fields.bytes('cpu_svn', 16),
    little(fields.uint('misc_select', 4), 4),
    fields.bytes('reserved1', 28),
    fields.bytes('attributes', 16),
    fields.bytes('mr_enclave', 32),
    fields.bytes('reserved2', 32),
    fields.bytes('mr_signer', 32),
    fields.bytes('reserved3', 96),
    little(fields.uint('isv_prod_id', 2), 2),
    little(fields.uint('isv_svn', 2), 2),
    fields.bytes('reserved4', 60),
    fields.bytes('report_data', 64),
  )
}

/** Little-endian; the value fits, as `ProtoFields` has seen to that. */
export function little(value: bigint, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn))
}
