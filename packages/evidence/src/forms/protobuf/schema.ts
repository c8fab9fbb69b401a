// Messages of Google's go-tdx-guest (tdx.proto) and go-sev-guest (sevsnp.proto): the fields that evidence is made of, by
// name, number and type. Fields that are not here are passed over: what they would change, no signature covers.

export type FieldType = 'uint' | 'bytes' | Message

export interface Message {
  readonly [name: string]: readonly [number: number, type: FieldType]
}

const HEADER: Message = {
  version: [1, 'uint'],
  attestation_key_type: [2, 'uint'],
  tee_type: [3, 'uint'],
  qe_svn: [4, 'bytes'],
  pce_svn: [5, 'bytes'],
  qe_vendor_id: [6, 'bytes'],
  user_data: [7, 'bytes'],
}

const TD_BODY: Message = {
  tee_tcb_svn: [1, 'bytes'],
  mr_seam: [2, 'bytes'],
  mr_signer_seam: [3, 'bytes'],
  seam_attributes: [4, 'bytes'],
  td_attributes: [5, 'bytes'],
  xfam: [6, 'bytes'],
  mr_td: [7, 'bytes'],
  mr_config_id: [8, 'bytes'],
  mr_owner: [9, 'bytes'],
  mr_owner_config: [10, 'bytes'],
  rtmrs: [11, 'bytes'],
  report_data: [12, 'bytes'],
  tee_tcb_svn2: [13, 'bytes'],
  mr_service_td: [14, 'bytes'],
}

const ENCLAVE_REPORT: Message = {
  cpu_svn: [1, 'bytes'],
  misc_select: [2, 'uint'],
  reserved1: [3, 'bytes'],
  attributes: [4, 'bytes'],
  mr_enclave: [5, 'bytes'],
  reserved2: [6, 'bytes'],
  mr_signer: [7, 'bytes'],
  reserved3: [8, 'bytes'],
  isv_prod_id: [9, 'uint'],
  isv_svn: [10, 'uint'],
  reserved4: [11, 'bytes'],
  report_data: [12, 'bytes'],
}

const SIGNED_DATA: Message = {
  signature: [1, 'bytes'],
  ecdsa_attestation_key: [2, 'bytes'],
  certification_data: [
    3,
    {
      certificate_data_type: [1, 'uint'],
      qe_report_certification_data: [
        3,
        {
          qe_report: [1, ENCLAVE_REPORT],
          qe_report_signature: [2, 'bytes'],
          qe_auth_data: [3, { data: [2, 'bytes'] }],
          pck_certificate_chain_data: [
            4,
            { certificate_data_type: [1, 'uint'], pck_cert_chain: [3, 'bytes'] },
          ],
        },
      ],
    },
  ],
}

/** `QuoteV4`, whose second field is a body, and `QuoteV5`, whose second field describes one. */
export const TDX_QUOTES: Readonly<Record<4 | 5, Message>> = {
  4: {
    header: [1, HEADER],
    td_quote_body: [2, TD_BODY],
    signed_data: [4, SIGNED_DATA],
    extra_bytes: [5, 'bytes'],
  },
  5: {
    header: [1, HEADER],
    td_quote_body_descriptor: [2, { td_quote_body_type: [1, 'uint'], td_quote_body_v5: [3, TD_BODY] }],
    signed_data: [4, SIGNED_DATA],
    extra_bytes: [5, 'bytes'],
  },
}

export const SNP_REPORT: Message = {
  version: [1, 'uint'],
  guest_svn: [2, 'uint'],
  policy: [3, 'uint'],
  family_id: [4, 'bytes'],
  image_id: [5, 'bytes'],
  vmpl: [6, 'uint'],
  signature_algo: [7, 'uint'],
  current_tcb: [8, 'uint'],
  platform_info: [9, 'uint'],
  signer_info: [10, 'uint'],
  report_data: [11, 'bytes'],
  measurement: [12, 'bytes'],
  host_data: [13, 'bytes'],
  id_key_digest: [14, 'bytes'],
  author_key_digest: [15, 'bytes'],
  report_id: [16, 'bytes'],
  report_id_ma: [17, 'bytes'],
  reported_tcb: [18, 'uint'],
  chip_id: [19, 'bytes'],
  committed_tcb: [20, 'uint'],
  current_build: [21, 'uint'],
  current_minor: [22, 'uint'],
  current_major: [23, 'uint'],
  committed_build: [24, 'uint'],
  committed_minor: [25, 'uint'],
  committed_major: [26, 'uint'],
  launch_tcb: [27, 'uint'],
  signature: [28, 'bytes'],
  cpuid1eax_fms: [29, 'uint'],
  launch_mit_vector: [30, 'uint'],
  current_mit_vector: [31, 'uint'],
}

/** `Attestation`: a report with its certificates. */
export const SNP_ATTESTATION: Message = {
  report: [1, SNP_REPORT],
  certificate_chain: [
    2,
    { vcek_cert: [1, 'bytes'], ask_cert: [2, 'bytes'], ark_cert: [3, 'bytes'], vlek_cert: [6, 'bytes'] },
  ],
}
