// `casemate verify`, by concept. One process for all, since each would load the verifier and make its platforms anew;
// the files stand on their own too (`node --test packages/cli/test/verify/endorsements.ts`).
import './verdict.ts'
import './evidence.ts'
import './endorsements.ts'
import './captured.ts'
