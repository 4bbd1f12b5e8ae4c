using System.Globalization;
using System.Reflection;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>What a guest has is counted once, also if it ends while it grows.</summary>
public sealed class ResourceLeaseTests
{
    /// <summary>One thread disposes of a memory while another makes it grow: the growth is refused after the end has given everything back.</summary>
    [Fact]
    public void GrowthThatTheEndHasGivenBackIsNotGivenBackAgain()
    {
        var resources = new GuestResources(new ResourceLimits { MaximumMemoryBytes = 1000 });
        ResourceLease lease = resources.Take(ResourceKind.Memories, ResourceKind.MemoryBytes, 100);
        Assert.True(lease.TryGrow(50));
        lease.End();
        lease.Shrink(50);
        Assert.Equal(0, resources.InUse(ResourceKind.MemoryBytes));
        Assert.Equal(0, resources.InUse(ResourceKind.Memories));
    }

    /// <summary>A table of an instance that has been disposed of may grow, if another instance has it, or the growth fails.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GrowthBehindTheEndIsGivenBack(bool succeeds)
    {
        var resources = new GuestResources(new ResourceLimits { MaximumTableElements = 1000 });
        ResourceLease lease = resources.Take(ResourceKind.Tables, ResourceKind.TableElements, 100);
        lease.End();
        Assert.True(lease.TryGrow(50));
        Assert.Equal(50, resources.InUse(ResourceKind.TableElements));
        if (succeeds) lease.End();
        else lease.Shrink(50);
        Assert.Equal(0, resources.InUse(ResourceKind.TableElements));
        Assert.Equal(0, resources.InUse(ResourceKind.Tables));
    }

    /// <summary>A kind that is new needs a limit of its name, a place in the counts, and words of its own.</summary>
    [Fact]
    public void EveryKindHasALimitAndWords()
    {
        ResourceKind[] kinds = Enum.GetValues<ResourceKind>();
        foreach (ResourceKind kind in kinds)
        {
            var limits = new ResourceLimits();
            PropertyInfo limit = typeof(ResourceLimits).GetProperty($"Maximum{kind}")!;
            limit.SetValue(limits, Convert.ChangeType(2, limit.PropertyType, CultureInfo.InvariantCulture));
            var resources = new GuestResources(limits);
            foreach (ResourceKind other in kinds) Assert.Equal(other != kind, resources.TryTake(other, 3, mayCollect: false));
            Assert.True(resources.TryTake(kind, 2, mayCollect: false));
            Assert.Equal(2, resources.InUse(kind));
        }
        Assert.Equal(kinds.Length, kinds.Select(kind => new ResourceLimitException(kind, "").Message).Distinct().Count());
    }
}
