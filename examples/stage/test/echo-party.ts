// A party that is ready with what it was started with.
import { serveParent } from '../child.ts'

await serveParent(async (start: object) => ({ ready: start, close: async () => undefined }))
