// MicroPython with its own host. Arguments: the folder of the package, then a script.
const [folder, script] = process.argv.slice(2);
const { loadMicroPython } = await import(`${folder}/micropython.mjs`);
const started = now();
const printed = [];
const python = await loadMicroPython({ stdout: line => printed.push(line) });
const begun = now();
python.runPython(script);
console.log(`${begun - started} ${now() - begun} ${printed.join(' ')}`);
