// Numbers that more than one file of the enclave must agree on; those that the host sees as well are in wire.ts.

/** Places in `ROLES`, of those that something depends on. */
export namespace Role {
  export const dbtr: u8 = 1
  export const dbtrAgt: u8 = 6
  export const cdtrAgt: u8 = 7
  export const instgAgt: u8 = 8
  export const txInstgAgt: u8 = 9
  export const dbtrAcct: u8 = 16
  export const cdtrAcct: u8 = 17
}

/** Names of `#capture` in the schema; a capture's number is its place, from 1. */
export const CAPTURES: string[] = [
  'tx',
  'msgId',
  'created',
  'count',
  'sum',
  'total',
  'headerDate',
  'bic',
  'name',
  'iban',
  'account',
  'amount',
  'date',
  'instructed',
  'endToEndId',
  'txId',
]

export namespace Capture {
  export const none: u8 = 0
  export const tx: u8 = 1
  export const msgId: u8 = 2
  export const created: u8 = 3
  export const count: u8 = 4
  export const sum: u8 = 5
  export const total: u8 = 6
  export const headerDate: u8 = 7
  export const bic: u8 = 8
  export const name: u8 = 9
  export const iban: u8 = 10
  export const account: u8 = 11
  export const amount: u8 = 12
  export const date: u8 = 13
  export const instructed: u8 = 14
  export const endToEndId: u8 = 15
  export const txId: u8 = 16
}

/** ISO 20022 external status reason codes, as the four bytes that stand in an answer. */
export namespace Reason {
  export const none: u32 = 0
  /** FF01 InvalidFileFormat */
  export const format: u32 = 0x31304646
  /** AM18 InvalidNumberOfTransactions */
  export const count: u32 = 0x38314d41
  /** AM10 InvalidControlSum */
  export const sum: u32 = 0x30314d41
  /** AM09 WrongAmount: the total of the header */
  export const total: u32 = 0x39304d41
  /** DT02 InvalidCreationDate */
  export const created: u32 = 0x32305444
  /** DT01 InvalidDate */
  export const date: u32 = 0x31305444
  /** RC01 BankIdentifierIncorrect */
  export const bic: u32 = 0x31304352
  /** RC03 InvalidDebtorBankIdentifier */
  export const debtorBic: u32 = 0x33304352
  /** RC04 InvalidCreditorBankIdentifier */
  export const creditorBic: u32 = 0x34304352
  /** AC01 IncorrectAccountNumber */
  export const account: u32 = 0x31304341
  /** AC02 InvalidDebtorAccountNumber */
  export const debtorAccount: u32 = 0x32304341
  /** AC03 InvalidCreditorAccountNumber */
  export const creditorAccount: u32 = 0x33304341
  /** AM11 InvalidTransactionCurrency */
  export const currency: u32 = 0x31314d41
  /** AM12 InvalidAmount: more decimals than the currency has */
  export const decimals: u32 = 0x32314d41
  /** AM01 ZeroAmount */
  export const zero: u32 = 0x31304d41
  /** AM03 NotAllowedCurrency */
  export const notAllowed: u32 = 0x33304d41
  /** AM02 NotAllowedAmount: over the limit of one payment */
  export const perPayment: u32 = 0x32304d41
  /** AM21 LimitExceeded: over the debtor's limit of a day */
  export const perDay: u32 = 0x31324d41
  /** AM05 Duplication: these ids came before with other content */
  export const duplicate: u32 = 0x35304d41
  /** RR04 RegulatoryReason: a name of the list */
  export const regulatory: u32 = 0x34305252
}
