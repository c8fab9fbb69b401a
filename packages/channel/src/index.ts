// @casemate/channel: attested TLS. Who is at the other end, proved for this session.
export type { AttestationDriver, Quote } from '@casemate/enclave'
