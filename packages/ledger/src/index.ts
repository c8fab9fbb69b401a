// @casemate/ledger: everything needed to check what a log says, in Node and in browsers. The log itself is in ./node.
export { canonicalJson, type JsonObject, type JsonValue } from './canonical.ts'
export {
  type Checkpoint,
  formatCheckpoint,
  type OpenCheckpointOptions,
  openCheckpoint,
  parseCheckpoint,
  type SignedCheckpoint,
} from './checkpoint.ts'
export { LEDGER_ERRORS, LedgerError, type LedgerErrorCode, type LedgerErrorDetail } from './errors.ts'
export { hashEmpty, hashLeaf, hashNode } from './hashing.ts'
export { commitTo, decodeLeaf, encodeLeaf, LEAF_SIZE, type Leaf } from './leaf.ts'
export {
  formatSignature,
  formatVerifierKey,
  makeVerifierKey,
  type NoteSignature,
  openNote,
  parseNote,
  parseVerifierKey,
  type UnverifiedNote,
  type VerifierKey,
} from './note.ts'
export {
  type ConsistencyProof,
  type InclusionProof,
  type TreeHead,
  verifyConsistency,
  verifyInclusion,
} from './proof.ts'
export {
  type KnownCheckpoint,
  RECEIPT_FORMAT,
  type Receipt,
  type VerifiedReceipt,
  type VerifyReceiptOptions,
  verifyExtension,
  verifyReceipt,
  verifyReceiptAgainst,
} from './receipt.ts'
export {
  type BundleId,
  decodeBundle,
  encodeBundle,
  formatTilePath,
  parseTilePath,
  TILE_HEIGHT,
  TILE_WIDTH,
  type TileId,
} from './tile.ts'
export { consistencyFromTiles, type ReadTile } from './tile-proof.ts'
