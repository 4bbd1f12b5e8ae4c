// MicroPython with its own host. Arguments: the folder of the package, then a script.
const [folder, script] = process.argv.slice(2);
const { loadMicroPython } = await import(`${folder}/micropython.mjs`);
const started = process.hrtime.bigint();
const printed = [];
const python = await loadMicroPython({ stdout: line => printed.push(line) });
const begun = process.hrtime.bigint();
python.runPython(script);
console.log(`${Number(begun - started) / 1e6} ${Number(process.hrtime.bigint() - begun) / 1e6} ${printed.join(' ')}`);
