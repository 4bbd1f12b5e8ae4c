using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace WasmJit.Guests;

/// <summary>The same guests on V8, with their own hosts: the scripts in the folder node, run by the command <c>node</c>.</summary>
internal static class Node
{
    /// <summary>Runs a script.</summary>
    /// <returns>The words that it prints; null if there is no node, or the guest's own host fails.</returns>
    internal static string[]? Run(string script, params string[] arguments)
    {
        string file = Path.Combine(Path.GetTempPath(), $"wasmjit-guests-{Environment.ProcessId}-{script}");
        using (var text = new StreamReader(typeof(Node).Assembly.GetManifestResourceStream(script)!)) File.WriteAllText(file, Clock.Script + text.ReadToEnd());
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("node", ["--no-warnings", file, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
        finally
        {
            File.Delete(file);
        }
    }

    internal static string Milliseconds(string[]? words, int index) =>
        words is null ? "(not on V8)" : $"{double.Parse(words[index], CultureInfo.InvariantCulture):f0} ms on V8";
}
