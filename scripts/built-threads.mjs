// Loaded first in every process and thread of `npm test`: a thread or process that starts from a file of a package's source
// starts from that file as it stands in the built command, whose few files take a third of the time to load.
import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const SOURCE = /\/packages\/([^/]+)\/src\/(?:.+\/)?([^/]+)\.ts$/
const folder = dirname(process.env['BUILT_COMMAND'] ?? '')

/** As `scripts/build/neighbours.ts` names it. Null where the command has no such file. */
function builtOf(/** @type {string} */ specifier) {
  const [, room, name] = SOURCE.exec(specifier) ?? []
  const path = join(folder, `${room}-${name}.js`)
  return room !== undefined && existsSync(path) ? pathToFileURL(path).href : null
}

// Whoever imports has been resolved before: only the first file has nobody.
if (!isMainThread || SOURCE.test(process.argv[1] ?? '')) {
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      hooks.deregister()
      return next(builtOf(specifier) ?? specifier, context)
    },
  })
}
