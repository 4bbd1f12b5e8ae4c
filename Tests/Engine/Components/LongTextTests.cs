using System.Text;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Texts that are longer than a piece: what is converted is what .NET converts as a whole, wherever pieces end.</summary>
public sealed class LongTextTests
{
    /// <summary>Texts whose characters of one to four bytes lie across the end of a piece in each way.</summary>
    public static TheoryData<string, int> Texts()
    {
        var data = new TheoryData<string, int>();
        foreach (string character in new[] { "a", "\u00e9", "\u20ac", "\U0001f600" })
            for (int shift = 0; shift < 4; shift++) data.Add(character, shift);
        return data;
    }

    private static string Long(string character, int shift) => new string('x', shift) + string.Concat(Enumerable.Repeat(character, (LongText.Piece * 3 / 2 / character.Length) + 5));

    [Theory]
    [MemberData(nameof(Texts))]
    public void PiecesAreTheWhole(string character, int shift)
    {
        string text = Long(character, shift);
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal(bytes.Length, LongText.FirstInvalid(bytes));
        Assert.True(text == LongText.ToString(bytes));
        Assert.True(text == LongText.ToString(text.AsSpan()));
        char[] chars = new char[text.Length];
        Assert.Equal(text.Length, LongText.ToChars(bytes, chars));
        Assert.True(chars.AsSpan().SequenceEqual(text));
        byte[] back = new byte[bytes.Length];
        Assert.Equal(bytes.Length, LongText.ToBytes(text, back));
        Assert.True(back.AsSpan().SequenceEqual(bytes));
    }

    /// <summary>What is wrong is found wherever it is.</summary>
    [Fact]
    public void WhatIsNoTextIsFound()
    {
        for (int at = LongText.Piece - 6; at < LongText.Piece + 6; at++)
        {
            foreach (byte[] wrong in new byte[][] { [0x80, 0x80, 0x80, 0x80], [0xe2, 0x82], [0xff], [0xf0, 0x9f, 0x98] })
            {
                byte[] bytes = [.. Enumerable.Repeat((byte)'a', at), .. wrong, .. Enumerable.Repeat((byte)'b', 10)];
                Assert.True(LongText.FirstInvalid(bytes) < bytes.Length, $"{at}");
            }
        }
    }

    [Fact]
    public void GuestsAreStoppedBetweenPieces()
    {
        string text = new('\u00e9', 2 * LongText.Piece);
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        foreach (Action work in new Action[]
        {
            () => LongText.FirstInvalid(bytes), () => LongText.ToString(bytes), () => LongText.ToString(text.AsSpan()), () => LongText.ToBytes(text, new byte[bytes.Length]),
            () => LongText.ToChars(bytes, new char[text.Length]), () => LongText.CountBytes(text), () => LongText.ToLatin1(text, new byte[text.Length]),
            () => LongText.FromLatin1(bytes), () => LongText.FromLatin1(bytes, new char[bytes.Length]),
        })
        {
            using var source = new CancellationTokenSource();
            Assert.Throws<GuestCanceledException>(() => Guest.Run(
                () =>
                {
                    source.Cancel();
                    work();
                },
                source.Token));
        }
    }
}
