using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What is counted by kind has a number for each.</summary>
public sealed class MetricsTests
{
    [Fact]
    public void EachKindIsCounted()
    {
        Assert.Equal(WasmJitMetrics.TrapKinds, Enum.GetValues<TrapKind>().Length);
        Assert.Equal(WasmJitMetrics.SlowCodes, Enum.GetValues<SlowCode>().Length);
    }
}
