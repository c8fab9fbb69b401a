// The log as the rooms use it: what there is to ask of it.

import type { Ledger } from '@casemate/ledger/node'

export type OpenLedger = Pick<
  Ledger,
  | 'append'
  | 'checkpoint'
  | 'consistency'
  | 'currentSize'
  | 'entries'
  | 'entry'
  | 'entryBundle'
  | 'erase'
  | 'origin'
  | 'receipt'
  | 'tile'
  | 'verifierKey'
>
