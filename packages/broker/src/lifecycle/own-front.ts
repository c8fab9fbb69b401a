// Clients served by the process that keeps the door.

import { strangerAllowance } from '../http/stranger-allowance.ts'
import { type MainApp, openMainApp } from './apps.ts'
import type { Front, FrontParts } from './front.ts'
import { drain, listen } from './listening.ts'

export async function openOwnFront({ config, core, health, tls }: FrontParts): Promise<Front & MainApp> {
  const allowance = strangerAllowance(config, core.elapsedMs)
  const { app, routes } = await openMainApp(core, { admission: allowance, allowance, tls, health })
  return {
    app,
    routes,
    apps: [app],
    failed: new Promise(() => undefined),
    listen: () => listen(app, 'listen', config),
    metrics: async () => [],
    reload: async () => undefined,
    close: graceMs => drain(app, graceMs),
  }
}
