// @casemate/enclave: measured and signed images of enclaves, running them, and sealing.

export {
  type Detection,
  type DetectionOptions,
  DRIVER_NAMES,
  type DriverName,
  detectPlatform,
  type Looked,
  openDriver,
} from './attesting/detect.ts'
export { type AttestationDriver, type Quote, REPORT_DATA_SIZE } from './attesting/driver.ts'
export { type GramineDriverOptions, openGramineDriver } from './attesting/gramine.ts'
export { kbsAttester, kbsEvidence } from './attesting/kbs.ts'
export { type PlatformFiles, SYSTEM_FILES } from './attesting/platform-files.ts'
export type { RegisterState } from './attesting/register.ts'
export {
  openSimulatedDriver,
  type SimulatedCode,
  type SimulatedDriver,
  type SimulatedDriverOptions,
  simulatedDriver,
} from './attesting/simulated.ts'
export {
  openSimulatedPlatform,
  type SimulatedPlatform,
  type SimulatedTrust,
} from './attesting/simulated-platform.ts'
export { DEMO_CODE, SIMULATOR_FILES, simulatorExists } from './attesting/simulator-files.ts'
export { ENCLAVE_CLASS, type EnclaveStatement, encodeStatement } from './attesting/statement.ts'
export { openTsmDriver, type TsmDriverOptions } from './attesting/tsm.ts'
export { TSM_PROVIDERS, type TsmProvider } from './attesting/tsm-providers.ts'
export { type BuildOptions, buildEnclave } from './building/build.ts'
export { RUNTIMES, type Runtime } from './building/compile.ts'
export { type BuildSettings, DEFAULT_MEMORY_PAGES, SETTINGS_FILE } from './building/settings.ts'
export { ENCLAVE_ERRORS, EnclaveError, type EnclaveErrorCode, type EnclaveErrorDetail } from './errors.ts'
export { type EnclaveImage, encodeImage, isEnclaveImage, MAX_CODE_SIZE, parseImage } from './image/image.ts'
export {
  ABI_VERSION,
  MAX_MANIFEST_SIZE,
  MAX_MEMORY_PAGES,
  MAX_THREADS,
  type Manifest,
  sortedNames,
  WASM_PAGE_SIZE,
} from './image/manifest.ts'
export {
  attachImageSignature,
  recogniseSigstructs,
  type SigningDate,
  signedBytesOfImage,
  signImage,
  verifyImage,
} from './image/sign.ts'
export { modulusOf, verifySigstruct } from './image/signature.ts'
export {
  type Attributes,
  parseSigstruct,
  SIGSTRUCT_SIZE,
  type Sigstruct,
  type SigstructBody,
} from './image/sigstruct.ts'
export { SEALING_IMPORTS } from './running/abi.ts'
export { checkCodeOf, type Demands } from './running/check.ts'
export {
  type CallOptions,
  DEFAULT_LIMITS,
  Enclave,
  type EnclaveLimits,
  type EnclaveOptions,
} from './running/enclave.ts'
export type { EnclaveEvent, EnclavePlatform, LogLine } from './running/platform.ts'
export { type SealOptions, seal, type Unsealed, unseal } from './sealing/blob.ts'
export { deriveSealingKey, type KeyRequest } from './sealing/derive.ts'
export {
  type FailedFile,
  findSealed,
  type ResealSummary,
  resealAll,
  type SealedTree,
} from './sealing/files/reseal.ts'
export {
  type ResealEvent,
  type ResealOptions,
  type ResealStep,
  resealFile,
} from './sealing/files/reseal-file.ts'
export { type FileWork, type Opener, readPlain, sealToFile, unsealFile } from './sealing/files/seal-file.ts'
export { openSealedFile } from './sealing/files/sealed-file.ts'
export { CHUNK_SIZE, parseHeader, type SealedHeader, sizeOfHeader, TAG_SIZE } from './sealing/header.ts'
export { identityOf, type SealingIdentity, type SealingPolicy } from './sealing/identity.ts'
export type { UnsealOptions } from './sealing/opening.ts'
export { makeRoot, type RootKind, type SealingRoot } from './sealing/root.ts'
export {
  type BrokerRootOptions,
  DATA_KEY_SIZE,
  type GramineRootOptions,
  openBrokerRoot,
  openGramineRoot,
  openSimulatedRoot,
  type SimulatedRootOptions,
} from './sealing/roots.ts'
export { SealStream, UnsealStream } from './sealing/stream.ts'
