// Makes a component of a core module: node embed.mjs CORE WORLD TARGET WORLD.WIT OTHER.WIT... The other files are packages that the world uses; files of one package
// are one. Needs @bytecodealliance/jco, which build-components.sh brings.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const [core, world, target, main, ...others] = process.argv.slice(2);
const { componentEmbed, componentNew } = await import(pathToFileURL(createRequire(`${process.cwd()}/`).resolve('@bytecodealliance/jco')));
const packages = new Map();
for (const file of others) {
    const [, name, body] = /^package ([^;]+);([^]*)$/.exec(await readFile(file, 'utf8'));
    packages.set(name, (packages.get(name) ?? '') + body);
}
// The files name other packages without their versions.
for (const [name, body] of packages)
    packages.set(name, body.replace(/use ([a-z]+:[a-z]+)\/([a-z-]+)\./g, (_, other, part) => `use ${other}/${part}@${[...packages.keys()].find(p => p.startsWith(`${other}@`)).split('@')[1]}.`));
const witSource = await readFile(main, 'utf8') + [...packages].map(([name, body]) => `package ${name} {${body}}\n`).join('');
const embedded = await componentEmbed({ binary: await readFile(core), witSource, world });
await writeFile(target, await componentNew(embedded, []));
