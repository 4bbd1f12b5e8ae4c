using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Which event a waitable set delivers, whatever its members do in between.</summary>
public sealed class WaitableSetTests
{
    private sealed class Member(uint number) : Waitable
    {
        internal void Happens() => Pending = () => new GuestEvent(EventCode.Subtask, number, 0);

        internal void Unhappens() => Pending = null;
    }

    private readonly WaitableSet set = new();

    private readonly Member[] members = [.. Enumerable.Range(0, 5).Select(i => new Member((uint)i))];

    private List<uint> Delivered()
    {
        var numbers = new List<uint>();
        while (set.HasPending) numbers.Add(set.Deliver().First);
        return numbers;
    }

    [Fact]
    public void TheOldestEventComesFirst()
    {
        foreach (Member member in members) member.Join(set);
        Assert.False(set.HasPending);
        foreach (int i in new[] { 3, 1, 4 }) members[i].Happens();
        // A later state of the same member takes the place of the earlier one.
        members[3].Happens();
        Assert.Equal([3, 1, 4], Delivered());
        members[0].Happens();
        Assert.Equal([0], Delivered());
        Assert.Equal(5, set.Count);
    }

    [Fact]
    public void MembersComeAndGoWithTheirEvents()
    {
        var other = new WaitableSet();
        members[2].Happens();
        foreach (Member member in members) member.Join(set);
        members[0].Happens();
        members[4].Happens();
        members[1].Happens();
        members[0].Join(other);
        members[4].Unhappens();
        members[2].Join(set);
        Assert.Equal([1, 2], Delivered());
        Assert.Equal(0u, other.Deliver().First);
        Assert.False(other.HasPending);
        foreach (Member member in members) member.Drop();
        Assert.Equal((0, 0), (set.Count, other.Count));
        set.Drop();
    }
}
