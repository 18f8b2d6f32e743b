#!/usr/bin/env node
import { run } from './program.ts';
import { processTerminal } from './terminal.ts';

// `proxy status | head` closes our stdout early: that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 2);
});

process.exitCode = await run(process.argv.slice(2), processTerminal);
