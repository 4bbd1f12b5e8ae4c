// Makes a component of plugin.js: node build.mjs TARGET, with @bytecodealliance/componentize-js beside it. It has 12 MB, most of them an interpreter, and is not committed.
import { componentize } from '@bytecodealliance/componentize-js';
import { readFile, writeFile } from 'node:fs/promises';
const { component } = await componentize(
    await readFile('plugin.js', 'utf8'), await readFile('plugin.wit', 'utf8'), { worldName: 'plugin', disableFeatures: ['http', 'fetch-event'] });
await writeFile(process.argv[2], component);
