/**
 * `npm run bench [-- --quick] [--only NAME] [--peers] [--json FILE] [--profile FOLDER]`
 *
 * What the proxy costs, in ratios to a bare bridge (`floor.mjs`: HTTP to stdio with no keys, sessions or limits)
 * measured in the same run. Calls per second depend on the machine and on who else is on it; a ratio of two that
 * took turns does so much less. Everybody has the same server behind (`worker.mjs`) and the same load before
 * (`load.mjs`), which compares every answer with what was asked.
 *
 * How to read it: figures are `min–median–max` of five rounds. The result is the median of what the rounds say, each
 * of which compares two runs that came one after the other. Look first at the noise, at the top, and at what others
 * used of the machine, at the end: with more than a tenth, measure again. Targets are what we promise
 * ourselves: nothing fails here, because a timed test that fails teaches people to run it twice.
 *
 *   throughput   32 clients at once: calls per second, and processor time per call in the bridge's process
 *   latency      one client: what is added to each answer
 *   tenants      100 tenants, 1,000 requests at once: reuse, errors; and the first call of a cold tenant
 *   memory       1,000 tenants and 20 workers; over 200,000 calls; for each idle session
 *   streams      answers by events to answers by JSON; 10,000 open streams: their memory, and the others' p50
 *   eras         clients and workers of both eras: calls per second; and the handshake of a server known from before
 *   isolation    what the wall costs for each start and each call, and secrets for each call; 50 starts at once
 *   neighbours   what a server that spins, forks, hogs or floods costs another tenant's client
 *   peers        (only with `--peers`, which installs them from npm) two other bridges with the same worker
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { heading, machine, noise, watchOthers } from './machine.mjs';
import * as eras from './scenarios/eras.mjs';
import * as isolation from './scenarios/isolation.mjs';
import * as latency from './scenarios/latency.mjs';
import * as memory from './scenarios/memory.mjs';
import * as neighbours from './scenarios/neighbours.mjs';
import * as peers from './scenarios/peers.mjs';
import * as streams from './scenarios/streams.mjs';
import * as tenants from './scenarios/tenants.mjs';
import * as throughput from './scenarios/throughput.mjs';
import { percent } from './numbers.mjs';
import { table } from './table.mjs';

const always = [throughput, latency, tenants, memory, streams, eras, isolation, neighbours];

const options = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string' },
  peers: { type: 'boolean', default: false },
  json: { type: 'string' },
  /** A processor profile of the proxy under full load, for `throughput`. */
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
};
const flags = asked();
if (flags.help) leave(0, manual());

function asked() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    leave(2, `${error.message}\n\n${manual()}`);
  }
}

/** What stands at the top of this file. */
function manual() {
  const text = readFileSync(import.meta.filename, 'utf8');
  return text.slice(text.indexOf('\n') + 1, text.indexOf('\n */')).replace(/^ \* ?/gm, '');
}

function leave(code, text) {
  (code === 0 ? console.log : console.error)(text);
  process.exit(code);
}

function chosen() {
  const scenarios = flags.peers || flags.only === 'peers' ? [...always, peers] : always;
  const found = scenarios.filter(({ name }) => flags.only === undefined || name === flags.only);
  if (found.length === 0) leave(2, `--only takes one of ${scenarios.map(({ name }) => name).join(', ')}`);
  return found;
}

/** One scenario that breaks must not cost us what the others have found. */
const notMeasured = (error) => [{ what: 'NOT MEASURED', note: error.message }];

const nodeArgs = flags.profile ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(flags.profile)}`] : [];
const scenarios = chosen();
const where = machine();
const othersShare = watchOthers();
const unsteady = await noise({ seconds: flags.quick ? 0.5 : 2 });
console.log(heading(where, unsteady) + '\n');

const rows = [];
for (const { name, measure } of scenarios) {
  if (process.stderr.isTTY) process.stderr.write(`${name} …\n`);
  const measured = await measure({ quick: flags.quick, nodeArgs }).catch(notMeasured);
  for (const row of measured) rows.push({ scenario: name, ...row });
}
const others = othersShare();
console.log(`${table(rows)}\n\nothers used ${percent(others)} of the processors meanwhile`);
const result = { machine: where, noise: unsteady, others, rows };
if (flags.json) writeFileSync(flags.json, JSON.stringify(result, null, 2) + '\n');
// A scenario that broke has left its processes behind: they are killed on the way out.
process.exit();
