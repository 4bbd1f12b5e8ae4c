// Starts .NET and runs the program. In a page its lines go into the page, and the title tells its end; in node they go to the standard output.
import { dotnet } from './_framework/dotnet.js';

const page = globalThis.document?.getElementById('output');
if (page) {
    console.log = line => { page.textContent += line + '\n'; };
    console.error = console.log;
}
const { runMain } = await dotnet.create();
const code = await runMain();
if (page) document.title = `ended with ${code}`;
else process.exit(code);
