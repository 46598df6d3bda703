#!/usr/bin/env node
import { loadConfig } from '../config/config.js'
import { runCommand } from './program.js'
import { processTerminal } from './terminal.js'

// Whatever a command makes (data folder, key, database) is for its owner alone.
process.umask(0o077)
process.exitCode = await runCommand(process.argv.slice(2), processTerminal(), {
  loadConfig,
  // Loaded when it is needed: the other commands start faster without.
  serve: async (config) => (await import('../main.js')).serve(config),
})
