// Evidence of three other implementations' certificates, as published by the CCC Attestation SIG with their
// interoperability tests (interoperable-ra-tls, interoperability-tests/): key, claims-buffer, report data of the quote.

export interface PublishedCertificate {
  readonly by: string
  /** DER SubjectPublicKeyInfo, base64. */
  readonly spki: string
  /** Base64. */
  readonly claimsBuffer: string
  /** First half of the report data, hex; the second half is zero in all of them. */
  readonly reportData: string
}

export const PUBLISHED: readonly PublishedCertificate[] = [
  {
    by: 'Gramine',
    spki: 'MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEcRdZNJQEViFsAXcNV/idkhdrKMX6APs+48zCvuBzWiZIgxRbbzy3o9XDY278Qinz5VAExPJ053/4sGEWZonaRfxeGISmuF/QQT5f6KJ87KDvS8u2xMEWZiOM5xRaY+I5',
    claimsBuffer: 'oWtwdWJrZXktaGFzaFgkggFYIFpaWy0XdDMEjp1iQJ0azE7FJsBuKU0J5po2z/k2nkhR',
    reportData: 'd8673446fe0f6842d4af0d182c8751d7e967039116deff5f85a43b2ca90c2831',
  },
  {
    by: 'rats-tls',
    spki: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDfoZNfy1IUBQMu1hNQu5qo4dpSihV6rjP2/+vi0c3C9mcGtY92j2s2AX2s1SyqIAfJmV5yJ83hsF2C8FLf0ygw==',
    // With claims of its own besides.
    claimsBuffer:
      'o2twdWJrZXktaGFzaFgkggFYIHLAtwwgknQaTP2gwkZUh/rxMpmGF7Cq1TEYql1uGAAGZWtleV8wSHZhbHVlXzAAZWtleV8xSHZhbHVlXzEA',
    reportData: '3ef61b935603341747b96c602397da1c4761afe4eeed2cdc08cbf5f4ff61c533',
  },
  {
    by: 'the Intel SGX SDK',
    spki: 'MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEHxOoSlH+8gBUZpZ3IAc+FZFVDsV6nX7uZAglHtLiSY0qwIYrdd6tI/lBW0rmOxArNbO9++QtIUaIs1ruWlnIkqkellECun43YNyhRFhhTsqAPtLqLVoFTdZgLOEN8VuQ',
    claimsBuffer: 'oWtwdWJrZXktaGFzaFgkggFYIPMG7WAphTceO0hRAtsfzdT0c4Mpzliy+NHF0sx5dSAm',
    reportData: 'e551b081d5079ad7565b5f20a45f276c2f5a6152c1802c0688e15a02e87a74c9',
  },
]

/** Report data of the quote in Gramine's older extension of the same certificate. */
export const GRAMINE_LEGACY_REPORT_DATA = '5a5a5b2d177433048e9d62409d1acc4ec526c06e294d09e69a36cff9369e4851'
/** The head of that extension: OBJECT IDENTIFIER, then the OCTET STRING of the quote and its first bytes. */
export const GRAMINE_LEGACY_HEAD = '060b06092a864886f84d8a3906'
