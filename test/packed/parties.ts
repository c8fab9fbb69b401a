// Those who take part in an attestation, all of them from the tarballs: a simulated machine, a broker that knows it and
// has one secret, and the rule that releases it to that machine's code.
import { join } from 'node:path'
import { after } from 'node:test'
import { pathToFileURL } from 'node:url'
import { sharedProject, temporaryDirectory } from './project.ts'
import { shownBy } from './readme.ts'

export const SECRET = 'default/packed/greeting'
export const GREETING = 'Good morning'
const CODE = 'packed'

interface Running {
  readonly url: string
  readonly firstAdminToken: string
  close(): Promise<void>
}

/** What is installed, not what this checkout has: `await installed<typeof import('NAME')>('NAME')`. */
export async function installed<Module>(name: string): Promise<Module> {
  const { directory } = await sharedProject()
  return import(pathToFileURL(join(directory, 'node_modules', name, 'lib', 'index.js')).href)
}

export async function openParties() {
  const { openSimulatedDriver, kbsAttester } =
    await installed<typeof import('@casemate/enclave')>('@casemate/enclave')
  const { fetchInfo, openAdmin } = await installed<typeof import('@casemate/client')>('@casemate/client')
  const { openBroker } = await shownBy('@casemate/broker')
  const place = temporaryDirectory()
  const now = new Date()
  const machine = (code: string) => openSimulatedDriver({ directory: join(place, 'simulator'), now, code })
  const driver = await machine(CODE)
  const flags = {
    'data-dir': join(place, 'data'),
    listen: '127.0.0.1:0',
    'metrics-listen': 'off',
    offline: 'true',
  }
  const broker = (await openBroker?.(flags, driver.trust)) as Running
  after(() => broker.close())
  const admin = openAdmin({ url: broker.url, token: broker.firstAdminToken })
  const workloads = [{ ...(await workloadOf(driver)) }]
  await admin.references.put('machine', { workloads }, 'new')
  await admin.policies.put(
    'default',
    { extends: 'strict', name: 'default', version: 1, simulated: 'any' },
    'any',
  )
  await admin.secrets.put(SECRET, new TextEncoder().encode(GREETING), 'new')
  await admin.rules.put('packed', { secrets: 'default/packed/*', expression: 'claims.kind == "tdx"' }, 'new')
  return {
    url: broker.url,
    logKey: (await fetchInfo({ url: broker.url })).ledgerKey,
    admin,
    driver,
    attester: kbsAttester(driver, null),
    stranger: kbsAttester(await machine('something else'), null),
  }
}

type Driver = Awaited<ReturnType<typeof import('@casemate/enclave').openSimulatedDriver>>

/** The machine as a reference value. */
async function workloadOf(driver: Driver) {
  const { parse, readEndorsements, verify } =
    await installed<typeof import('@casemate/evidence')>('@casemate/evidence')
  const { workloadOf } = await installed<typeof import('@casemate/appraisal')>('@casemate/appraisal')
  const { evidence } = await driver.quote(new Uint8Array(64))
  const demands = {
    now: new Date(),
    anchors: driver.trust.anchors,
    minTcbEvaluationDataNumber: 'any',
  } as const
  const { claims } = await verify(parse(evidence), readEndorsements(driver.trust.endorsements), demands)
  return workloadOf(claims, 'machine')
}
