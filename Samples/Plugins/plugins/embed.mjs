// Makes a component of a core module: node embed.mjs CORE WIT WORLD TARGET
import { readFile, writeFile } from 'node:fs/promises';
import { componentEmbed, componentNew } from '@bytecodealliance/jco';
const [core, wit, world, target] = process.argv.slice(2);
const embedded = await componentEmbed({ binary: await readFile(core), witSource: await readFile(wit, 'utf8'), world });
await writeFile(target, await componentNew(embedded, []));
