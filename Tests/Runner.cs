using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace WasmJit.Tests;

/// <summary>
/// The program of a project of tests: it runs them by itself, where <c>dotnet test</c> is not to be had. Published for a platform that this machine emulates, it runs there.
/// Each argument is a part of the full names of the tests to run, with their data in parentheses; with a minus in front, of those not to run. One test runs at a time, and its name is
/// written before it: that is the test of which a process has died.
/// </summary>
internal static class Runner
{
    private static int Main(string[] arguments)
    {
        Assembly assembly = typeof(Runner).Assembly;
        string[] wanted = [.. arguments.Where(a => a[0] != '-')], unwanted = [.. arguments.Where(a => a[0] == '-').Select(a => a[1..])];
        var options = new Options();
        using var framework = new XunitTestFramework(new Sink());
        var found = new Sink();
        using (ITestFrameworkDiscoverer discoverer = framework.GetDiscoverer(Reflector.Wrap(assembly)))
        {
            discoverer.Find(includeSourceInformation: false, found, options);
            found.End.WaitOne();
        }
        var run = new Sink();
        using (ITestFrameworkExecutor executor = framework.GetExecutor(assembly.GetName()))
        {
            executor.RunTests(
                found.Cases.Where(c => c.DisplayName is var name && wanted.Any(name.Contains) && !unwanted.Any(name.Contains)), run, options);
            run.End.WaitOne();
        }
        Console.WriteLine($"{run.Passed} passed, {run.Failed} failed, {run.Skipped} skipped");
        return run.Passed > 0 && run.Failed == 0 ? 0 : 1;
    }

#pragma warning disable xUnit3000 // The class that it asks for is one of .NET Framework's, for other application domains.
    /// <summary>What the framework tells of tests.</summary>
    private sealed class Sink : IMessageSink
    {
        internal List<ITestCase> Cases { get; } = [];

        internal ManualResetEvent End { get; } = new(false);

        internal int Passed { get; private set; }

        internal int Failed { get; private set; }

        internal int Skipped { get; private set; }

        public bool OnMessage(IMessageSinkMessage message)
        {
            switch (message)
            {
                case ITestCaseDiscoveryMessage found: Cases.Add(found.TestCase); break;
                case IDiscoveryCompleteMessage or ITestAssemblyFinished: End.Set(); break;
                case ITestStarting starting: Console.WriteLine(starting.Test.DisplayName); break;
                case ITestPassed: Passed++; break;
                case ITestSkipped: Skipped++; break;
                case ITestFailed failed: Fail(failed.Test.DisplayName, failed); break;
                // What fails outside of a test: a fixture, a constructor, the framework itself.
                case IErrorMessage error: Fail("outside of a test", error); break;
                case ITestClassCleanupFailure error: Fail(error.TestClass.Class.Name, error); break;
                case ITestCollectionCleanupFailure error: Fail(error.TestCollection.DisplayName, error); break;
                case ITestAssemblyCleanupFailure error: Fail("the end", error); break;
            }
            return true;
        }

        private void Fail(string name, IFailureInformation what)
        {
            Failed++;
            Console.WriteLine($"FAILED {name}: {what.ExceptionTypes[0]}: {what.Messages[0]}\n{what.StackTraces[0]}");
        }
    }

#pragma warning restore xUnit3000

    /// <summary>Options of the framework by name.</summary>
    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> values = new() { ["xunit.execution.DisableParallelization"] = true };

        public TValue? GetValue<TValue>(string name) => values.TryGetValue(name, out object? value) ? (TValue?)value : default;

        public void SetValue<TValue>(string name, TValue value) => values[name] = value;
    }
}
