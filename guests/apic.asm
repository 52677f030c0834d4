; A boot sector that looks closely at the local APIC and the I/O APIC, and prints a dot for each thing that is as Intel's
; manuals say, an x if not. On the way it waits for three ticks of the one's timer and of the other's line 0.
;
; A debugger should see $bx count the interrupts. The APICs' pages are far above 1 MiB: %fs has a limit of 4 GiB (unreal
; mode), as 32-bit code leaves it.

	bits 16
	org 0x7c00

lapic	equ 0xfee00000
ioapic	equ 0xfec00000

%macro told 0
	call tell
%endmacro
%macro await 3				; a register, jump if, a number
%%more:	cli
	cmp %1, %3
	%2 %%done
	sti				; and HLT is behind what may come
	hlt
	jmp %%more
%%done:	sti
%endmacro
%macro vector 2				; number, handler
	mov word [%1 * 4], %2
	mov word [%1 * 4 + 2], 0
%endmacro
%macro local 2				; register, value
	mov dword [dword fs:lapic + %1], %2
%endmacro
%macro pin 2				; of the I/O APIC: number, the lower half of its entry
	mov dword [dword fs:ioapic], 0x11 + 2 * %1
	mov dword [dword fs:ioapic + 16], 0
	mov dword [dword fs:ioapic], 0x10 + 2 * %1
	mov dword [dword fs:ioapic + 16], %2
%endmacro

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov es, ax
	mov ax, 0x0203			; the rest of it
	mov bx, 0x7e00
	mov cx, 2
	xor dh, dh
	int 0x13
	jmp begin
	times 510 - ($ - $$) db 0
	dw 0xaa55

begin:	lgdt [gdt_pointer]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	mov bx, 8
	mov fs, bx
	and al, ~1
	mov cr0, eax
	jmp 0:$ + 5

	; The tables say where both are.
	mov ax, 0xf000
	mov es, ax
	xor di, di
search:	cmp dword [es:di], '_MP_'
	je found
	add di, 16
	jnz search
found:	mov esi, [es:di + 4]
	cmp dword [fs:esi], 'PCMP'
	told
	movzx ecx, word [fs:esi + 4]
	xor eax, eax
	xor edx, edx
sum:	add al, [fs:esi + edx]
	inc dx
	loop sum
	test al, al			; the sum of all bytes
	told
	cmp dword [fs:esi + 36], lapic
	told

	; CPUID and the MSR know of it.
	mov eax, 1
	cpuid
	not edx
	test dx, 1 << 9
	told
	mov ecx, 0x1b
	rdmsr
	cmp eax, lapic | 0x900
	told
	cmp dword [dword fs:lapic + 0x30], 0x50014
	told
	mov dword [dword fs:ioapic], 1
	cmp dword [dword fs:ioapic + 16], 0x170011
	told

	vector 0x40, on_tick
	vector 0x41, on_line
	vector 0x42, on_clock
	vector 0x50, on_message
	vector 0x61, on_message

	; Nothing comes by the other controllers from here on: the timer's tick stays where it is.
	local 0x350, 0x10000
	sti
	mov dx, [0x46c]
	xor cx, cx
.spin:	in al, 0x80
	loop .spin
	cmp dx, [0x46c]
	told

	; A message to itself is held back by the task priority, and the higher vector comes first.
	xor ebx, ebx
	local 0x80, 0x60
	local 0x300, 0x44050
	local 0x300, 0x44061
	nop
	cmp bx, 0x61			; 60h is not above 60h, 61h is not either
	setne al
	cmp al, 1
	told
	cmp dword [dword fs:lapic + 0x220], 0x10000
	told				; both wait
	cmp dword [dword fs:lapic + 0x230], 2
	told
	local 0x80, 0
	in al, 0x80
	in al, 0x80
	cmp bx, 0x6150
	told

	; Errors are kept until they are asked for.
	local 0x280, 0
	local 0x300, 0x44005
	local 0x280, 0
	mov eax, [dword fs:lapic + 0x280]
	cmp al, 0x20			; a vector that is none was sent
	told

	; One shot: the count goes to 0 and stays there.
	xor bx, bx
	local 0x3e0, 3			; divided by 16
	local 0x320, 0x40
	local 0x380, 62500		; a millisecond
	mov eax, [dword fs:lapic + 0x390]
	dec eax
	cmp eax, 62499
	setb al
	cmp al, 1
	told
	await bx, jae, 1
	cmp bx, 1
	told
	cmp dword [dword fs:lapic + 0x390], 0
	told
	local 0x3e0, 0xa		; and no other rate, or way of counting, begins it again
	local 0x320, 0x20040
	cmp dword [dword fs:lapic + 0x390], 0
	told
	local 0x3e0, 3

	; A level-triggered line asks until the device is served, whatever ends its interrupts.
	xor bx, bx
	pin 8, 0x8042
	mov al, 0x0b
	out 0x70, al
	mov al, 0x42
	out 0x71, al
	await bx, jae, 3
	cmp bx, 3
	told
	mov dword [dword fs:ioapic], 0x10 + 2 * 8
	mov eax, [dword fs:ioapic + 16]
	cmp ax, 0x8042			; no remote IRR
	told
	pin 8, 0x10000

	; Both timers.
	xor bx, bx
	local 0x320, 0x20040
	local 0x380, 625000		; ten milliseconds
	await bl, jae, 3
	local 0x320, 0x10000
	pin 2, 0x41
	await bh, jae, 3
	pin 2, 0x10000

	; All APICs may be told to agree upon who is first, which no processor hears of; an NMI is not delivered.
	mov al, 10
	out 0xe9, al
	local 0x300, 0x88500
	local 0x300, 0x44400
	cli
	hlt

tell:	mov al, '.'
	je .good
	mov al, 'x'
.good:	out 0xe9, al
	ret

on_tick:
	inc bl
	jmp end
on_line:
	inc bh
	jmp end
on_clock:
	inc bx
	cmp bx, 3
	jb end
	mov al, 0x0c			; this time it is served
	out 0x70, al
	in al, 0x71
	mov al, 0x0b
	out 0x70, al
	mov al, 0x02
	out 0x71, al
	jmp end
on_message:				; which one is in service
	shl bx, 8
	mov bl, 0x50
	test dword [dword fs:lapic + 0x130], 2
	jz end
	mov bl, 0x61
end:	local 0xb0, 0
	iret

	align 8
gdt:	dq 0
	dq 0x00cf92000000ffff
gdt_pointer:
	dw gdt_pointer - gdt - 1
	dd gdt

	times 2048 - ($ - $$) db 0
